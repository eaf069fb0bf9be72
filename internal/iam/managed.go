package iam

import "strings"

// Managed returns one of AWS's managed policies by its name or its ARN: AWSAppFabricReadOnlyAccess or
// AWSAppFabricFullAccess. AWSAppFabricServiceRolePolicy is none of them, as AWS lets nobody attach it.
//
// They are AWS's documents in version v1, less what AWSAppFabricFullAccess allows of other services (kms:ListAliases,
// s3:GetBucketLocation, s3:ListAllMyBuckets, firehose:DescribeDeliveryStream, firehose:ListDeliveryStreams,
// iam:CreateServiceLinkedRole), of which this server has no operation. None grants an operation of selvedge:.
//
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSAppFabricReadOnlyAccess.html and
// .../AWSAppFabricFullAccess.html (checked 2026-11-22)
func Managed(name string) (Policy, bool) {
	for _, partition := range partitions() {
		if short, ok := strings.CutPrefix(name, "arn:"+partition+":iam::aws:policy/"); ok {
			name = short
			break
		}
	}
	var actions []string
	switch name {
	case "AWSAppFabricFullAccess":
		actions = []string{"appfabric:*"}
	case "AWSAppFabricReadOnlyAccess":
		actions = []string{
			"appfabric:getappauthorization", "appfabric:getappbundle", "appfabric:getingestion",
			"appfabric:getingestiondestination", "appfabric:listappauthorizations", "appfabric:listappbundles",
			"appfabric:listingestiondestinations", "appfabric:listingestions", "appfabric:listtagsforresource",
		}
	default:
		return Policy{}, false
	}
	return Policy{statements: []statement{{actions: actions, resources: []resource{{any: true}}}}}, true
}
