"""Where a stack's pipeline would run, for tests that compare its definition."""

from sagetree.cloud.pipeline.places import Places

PLACES = Places(
    image="123456789012.dkr.ecr.us-east-1.amazonaws.com/sagetree:1",
    role="arn:aws:iam::123456789012:role/fraud-jobs",
    bucket="fraud-bucket",
    group="fraud",
    deploy_function="arn:aws:lambda:us-east-1:123456789012:function:fraud-deploy",
    vpc={"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]},
    key="arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000",
)
