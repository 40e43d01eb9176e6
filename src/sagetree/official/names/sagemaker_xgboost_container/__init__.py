"""What scripts import of the official XGBoost container; made in sagetree.official."""

import sys

from sagetree.official.lacking import LackingFinder

sys.meta_path.append(LackingFinder(__name__))
