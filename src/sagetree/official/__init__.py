"""What scripts written for the official XGBoost container import, as far as it is of use here.

The folder `names` holds packages of the official names, which are found by users' scripts
alone (`sagetree.scripts.official_names`); what they hold is made here.
"""
