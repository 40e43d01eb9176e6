"""What each command of `cloud` says about itself by --help."""

LAUNCH = """\
Create the stack from this version's template, and wait until it is complete (a few
minutes). The stack has roles of its own, which your credentials must be allowed to make.
If one part cannot be made, everything is rolled back, and the message names the first
failure. --with makes optional stacks beside it, such as queue for claims that may wait. A
stack that is there is updated, and so are those beside it: they get the image, the
parameters that are named, and this version's templates. cloud/README.md describes the
parameters.
"""

UPLOAD = """\
Copy tables (CSV with a header, or Parquet) into the stack's bucket, where the pipeline
reads them. A table is a file, or a folder whose files are parts of it. It is called as the
file or folder is, unless you name it:

  sagetree cloud upload claims.csv customers.csv
  sagetree cloud upload claims=2026/claims_january.parquet customers=people/
"""

RUN = """\
Start the pipeline (prepare, train, evaluate, register) and follow it to its end, about ten
minutes. A model below MinimumAuc is registered as rejected, and the run fails and says its
AUC. Ctrl-C stops following the run, and the run goes on.
"""

STATUS = """\
Show the state of the stack, how the last runs ended, the models with their metrics and
approvals, what the endpoint serves (and what it should serve, if that differs), each
alarm, the address to send claims to, and what costs money.
"""

APPROVE = """\
Show the metrics of a registered model and approve it; the stack then deploys it. A model
that was rejected cannot be approved by this command.
"""

DELETE = """\
Delete the stacks beside it, then the stack with the endpoint, the models and the data in
the bucket, unless it was launched with KeepData=yes. It asks first. The stacks' logs go, too,
without --keep-logs. The records and logs of jobs stay, and so does the image in ECR
(`build_and_push.sh --delete` removes that).
"""

LEFTOVERS = """\
List everything that has the stack's name and is not part of the stack, with the command
that removes it. What the deletion of the stack will remove is marked so. The exit code is
1 if anything else is left.
"""

BATCH = """\
Score files (.csv, .jsonl or .parquet, all of one kind) by a batch transform job of the
deployed model, and wait for it. INPUT is a file or a folder here, which is sent in parts
of 24 MB, or an address in S3; OUTPUT is a folder here or an address in S3. Each file
becomes one with the ending .out, that has a line with the score for each row; in S3 each
part does.
"""

DRIFT = """\
Have a job compare what was scored in the last days with the rows that the deployed model
was trained on, and, where it is known what became of claims, its figures with those of
then. Wait for the job, and say what it found. The exit code is 1 if it found something. It
needs the stack that `launch --with watch` makes.
"""

REDRIVE = """\
Claims that were sent by POST /claims or straight into the queue, and that the model
refused or could not be asked about for an hour, are dead letters for 14 days. Say why the
first of them were refused, and put all of them into the queue again. The queue is made by
`launch --with queue`.
"""

INGEST = """\
Write tables into feature groups, made where there are none: by the stack's IdField, with
the column event_time or the time of now. A table is a file or folder here (CSV, Parquet,
JSON Lines), or an address in S3 or of a server. Rows that are not taken go into a file with
the reasons, and the exit code is 1. It needs the stack NAME-features.
"""

ERASE = """\
Remove what the stack keeps of one policy: its records in online stores, and its rows in
tables, offline stores, the pipeline's prepared rows, scored claims, outcomes, and files that
were scored, in all versions of the objects. Say what there is, and ask first. Each object is
written anew without the rows before its old version goes. The exit code is 1 if something
must be looked into by hand.
"""

CHECK = """\
Compare the account with what the template promises, by calls that only read: the bucket's
encryption, public access and TLS, how long logs are kept, the roles, the functions' image,
the API's authorization, whether the endpoint serves the approved model, the alarms, and
the drift of each resource. The exit code is 1 if a promise does not hold.
"""
