# Runs each of AppFabric's operations with the AWS CLI.
set -euo pipefail

af() { aws appfabric --output text "$@"; }
expect() { # expect WHAT GOT WANT
	[[ $2 == "$3" ]] || { echo "$1: got '$2', want '$3'" >&2; exit 1; }
}

bundle=$(af create-app-bundle --tags key=empty,value= --query appBundle.arn)
second=$(af create-app-bundle --query appBundle.arn)
expect "the bundle" "$(af get-app-bundle --app-bundle-identifier "$bundle" --query appBundle.arn)" "$bundle"
expect "two pages of bundles" "$(af list-app-bundles --page-size 1 --query 'length(appBundleSummaryList)' --output json)" 2
in_bundle=(--app-bundle-identifier "$bundle")

authorization=$(af create-app-authorization "${in_bundle[@]}" --app TERRAFORMCLOUD --auth-type apiKey \
	--credential "apiKeyCredential={apiKey=$TOKEN}" --tenant tenantIdentifier=example-org,tenantDisplayName=Example \
	--query appAuthorization.appAuthorizationArn)
of_authorization=("${in_bundle[@]}" --app-authorization-identifier "$authorization")
af update-app-authorization "${of_authorization[@]}" --tenant tenantIdentifier=example-org,tenantDisplayName=Beispiel >/dev/null
expect "connected" "$(af connect-app-authorization "${of_authorization[@]}" --query appAuthorizationSummary.status)" Connected
expect "the authorization" "$(af get-app-authorization "${of_authorization[@]}" --query appAuthorization.tenant.tenantDisplayName)" Beispiel
expect "authorizations" "$(af list-app-authorizations "${in_bundle[@]}" --query 'appAuthorizationSummaryList[].appAuthorizationArn')" "$authorization"

ingestion=$(af create-ingestion "${in_bundle[@]}" --app TERRAFORMCLOUD --tenant-id example-org --ingestion-type auditLog --query ingestion.arn)
of_ingestion=("${in_bundle[@]}" --ingestion-identifier "$ingestion")
af stop-ingestion "${of_ingestion[@]}"
expect "stopped" "$(af get-ingestion "${of_ingestion[@]}" --query ingestion.state)" disabled
af start-ingestion "${of_ingestion[@]}"
expect "started" "$(af list-ingestions "${in_bundle[@]}" --query 'ingestions[].state')" enabled

destination=$(af create-ingestion-destination "${of_ingestion[@]}" --processing-configuration 'auditLog={schema=ocsf,format=json}' \
	--destination-configuration 'auditLog={destination={s3Bucket={bucketName=audit-logs}}}' --query ingestionDestination.arn)
of_destination=("${of_ingestion[@]}" --ingestion-destination-identifier "$destination")
af update-ingestion-destination "${of_destination[@]}" \
	--destination-configuration 'auditLog={destination={s3Bucket={bucketName=audit-logs,prefix=testing}}}' >/dev/null
expect "the destination" "$(af get-ingestion-destination "${of_destination[@]}" --query \
	'ingestionDestination.[status,destinationConfiguration.auditLog.destination.s3Bucket.prefix]')" $'Active\ttesting'
expect "destinations" "$(af list-ingestion-destinations "${of_ingestion[@]}" --query 'ingestionDestinations[].arn')" "$destination"

af tag-resource --resource-arn "$bundle" --tags 'key=ключ,value=a/b +' key=gone,value=x
af untag-resource --resource-arn "$bundle" --tag-keys gone
expect "tags" "$(af list-tags-for-resource --resource-arn "$bundle" --query 'tags[].[key,value]' --output json | tr -d ' \n')" \
	'[["empty",""],["ключ","a/b+"]]'

search() { # search EMAIL: prints what came of the task
	local task=() result='IN_PROGRESS'
	task=(--task-id-list "$(af start-user-access-tasks "${in_bundle[@]}" --email "$1" --query 'userAccessTasksList[].taskId')")
	while [[ $result == IN_PROGRESS* ]]; do
		result=$(af batch-get-user-access-tasks "${in_bundle[@]}" "${task[@]}" \
			--query 'userAccessResultsList[].[resultStatus,userId,taskError.errorMessage]')
	done
	echo "$result"
}
expect "a person who is there" "$(search zoe.mueller@example.com)" $'COMPLETED\tuser-V3R563qtJNcExAkN\tNone'
expect "a person who is not" "$(search nobody@example.com)" $'FAILED\tNone\tThe user not found'

af delete-ingestion-destination "${of_destination[@]}"
af delete-ingestion "${of_ingestion[@]}"
af delete-app-authorization "${of_authorization[@]}"
af delete-app-bundle "${in_bundle[@]}"
af delete-app-bundle --app-bundle-identifier "$second"
if message=$(af get-app-bundle "${in_bundle[@]}" 2>&1); then
	echo "the bundle is still there" >&2
	exit 1
fi
[[ $message == *ResourceNotFoundException* ]] || { echo "$message" >&2; exit 1; }
echo done
