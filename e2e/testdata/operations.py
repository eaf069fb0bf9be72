"""Runs each of AppFabric's operations with boto3, and its four paginators."""

import os
import time

import boto3

TENANTS = ["https://app.terraform.io/app/example-org", "example-org"]  # two names of one organization

appfabric = boto3.client("appfabric")


def pages(operation, elements, **request):
    """Counts the pages of one element each."""
    found = [len(page[elements]) for page in appfabric.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **request)]
    assert found == [1, 1], f"{operation}: pages of {found}"


def bucket(**more):
    return {"auditLog": {"destination": {"s3Bucket": {"bucketName": "audit-logs", **more}}}}


def search(email):
    """Looks for a person and returns what came of the tasks."""
    tasks = appfabric.start_user_access_tasks(email=email, **of_bundle)["userAccessTasksList"]
    ids = [task["taskId"] for task in tasks]
    while True:
        results = appfabric.batch_get_user_access_tasks(taskIdList=ids, **of_bundle)["userAccessResultsList"]
        assert [r["taskId"] for r in results] == ids, results
        if all(r["resultStatus"] != "IN_PROGRESS" for r in results):
            return results
        time.sleep(0.05)


bundle = appfabric.create_app_bundle(tags=[{"key": "empty", "value": ""}])["appBundle"]["arn"]
second = appfabric.create_app_bundle()["appBundle"]["arn"]
assert "customerManagedKeyArn" not in appfabric.get_app_bundle(appBundleIdentifier=bundle)["appBundle"]
of_bundle = {"appBundleIdentifier": bundle}
pages("list_app_bundles", "appBundleSummaryList")

authorizations, ingestions, destinations = [], [], []
for tenant in TENANTS:
    made = appfabric.create_app_authorization(
        app="TERRAFORMCLOUD", authType="apiKey", credential={"apiKeyCredential": {"apiKey": os.environ["TOKEN"]}},
        tenant={"tenantIdentifier": tenant, "tenantDisplayName": "Example"}, **of_bundle,
    )["appAuthorization"]
    assert made["status"] == "PendingConnect" and "authUrl" not in made, made
    arn = made["appAuthorizationArn"]
    connected = appfabric.connect_app_authorization(appAuthorizationIdentifier=arn, **of_bundle)["appAuthorizationSummary"]
    assert connected["status"] == "Connected", connected
    authorizations.append(arn)
    ingestions.append(appfabric.create_ingestion(
        app="TERRAFORMCLOUD", tenantId=tenant, ingestionType="auditLog", **of_bundle)["ingestion"]["arn"])
pages("list_app_authorizations", "appAuthorizationSummaryList", **of_bundle)
pages("list_ingestions", "ingestions", **of_bundle)

appfabric.update_app_authorization(
    appAuthorizationIdentifier=authorizations[0],
    tenant={"tenantIdentifier": TENANTS[0], "tenantDisplayName": "Beispiel"}, **of_bundle)
got = appfabric.get_app_authorization(appAuthorizationIdentifier=authorizations[0], **of_bundle)["appAuthorization"]
assert got["tenant"]["tenantDisplayName"] == "Beispiel" and got["createdAt"] <= got["updatedAt"], got

of_ingestion = {"ingestionIdentifier": ingestions[0], **of_bundle}
appfabric.stop_ingestion(**of_ingestion)
assert appfabric.get_ingestion(**of_ingestion)["ingestion"]["state"] == "disabled"
appfabric.start_ingestion(**of_ingestion)
try:
    appfabric.start_ingestion(**of_ingestion)
    raise SystemExit("a second start succeeded")
except appfabric.exceptions.ConflictException as e:
    assert e.response["resourceId"] == ingestions[0] and e.response["resourceType"] == "Ingestion", e.response

for schema in ["ocsf", "raw"]:
    destinations.append(appfabric.create_ingestion_destination(
        processingConfiguration={"auditLog": {"schema": schema, "format": "json"}}, destinationConfiguration=bucket(),
        **of_ingestion)["ingestionDestination"]["arn"])
pages("list_ingestion_destinations", "ingestionDestinations", **of_ingestion)
of_destination = {"ingestionDestinationIdentifier": destinations[0], **of_ingestion}
appfabric.update_ingestion_destination(destinationConfiguration=bucket(prefix="testing"), **of_destination)
got = appfabric.get_ingestion_destination(**of_destination)["ingestionDestination"]
assert got["destinationConfiguration"] == bucket(prefix="testing") and got["status"] == "Active", got

appfabric.tag_resource(resourceArn=bundle, tags=[{"key": "ключ", "value": "a/b +"}, {"key": "gone", "value": "x"}])
appfabric.untag_resource(resourceArn=bundle, tagKeys=["gone"])
appfabric.untag_resource(resourceArn=bundle, tagKeys=[])
got = {tag["key"]: tag["value"] for tag in appfabric.list_tags_for_resource(resourceArn=bundle)["tags"]}
assert got == {"empty": "", "ключ": "a/b +"}, got

found, nobody = search("zoe.mueller@example.com"), search("nobody@example.com")
assert [(r["resultStatus"], r["userId"], r["userStatus"]) for r in found] == [("COMPLETED", "user-V3R563qtJNcExAkN", "active")] * 2, found
assert [(r["resultStatus"], r["taskError"]["errorMessage"]) for r in nobody] == [("FAILED", "The user not found")] * 2, nobody
assert "taskError" not in found[0] and "userId" not in nobody[0], (found, nobody)
try:
    appfabric.batch_get_user_access_tasks(taskIdList=["00000000-0000-4000-8000-000000000000"], **of_bundle)
    raise SystemExit("a task that is not there was read")
except appfabric.exceptions.ResourceNotFoundException as e:
    assert e.response["resourceType"] == "UserAccessTask", e.response

# boto3 checks no patterns of its own.
try:
    appfabric.get_app_bundle(appBundleIdentifier="arn:")
    raise SystemExit("a bad identifier was taken")
except appfabric.exceptions.ValidationException as e:
    assert e.response["reason"] == "fieldValidationFailed", e.response
    assert [f["name"] for f in e.response["fieldList"]] == ["appBundleIdentifier"], e.response

for arn in destinations:
    appfabric.delete_ingestion_destination(ingestionDestinationIdentifier=arn, **of_ingestion)
for arn in ingestions:
    appfabric.delete_ingestion(ingestionIdentifier=arn, **of_bundle)
for arn in authorizations:
    appfabric.delete_app_authorization(appAuthorizationIdentifier=arn, **of_bundle)
for arn in [bundle, second]:
    appfabric.delete_app_bundle(appBundleIdentifier=arn)
try:
    appfabric.get_app_bundle(**of_bundle)
    raise SystemExit("the bundle is still there")
except appfabric.exceptions.ResourceNotFoundException as e:
    assert e.response["resourceId"] == bundle and e.response["resourceType"] == "AppBundle", e.response
print("done")
