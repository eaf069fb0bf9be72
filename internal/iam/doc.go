// Package iam reads IAM JSON policies and decides requests by them: what an access key may do.
//
// Parse is strict. A policy that says anything which is not supported is refused there, with the place and what is
// allowed, because a Deny that is silently ignored is a hole. What is supported:
//
//	Version               2012-10-17 or 2008-10-17 (which is also what a missing one means)
//	Id, Sid               Sids of letters and digits, each once
//	Effect                Allow or Deny
//	Action, NotAction     "*", or appfabric:<pattern> that matches one of Actions, or selvedge:<pattern>; case does not count
//	Resource, NotResource "*", or a pattern for an AppFabric ARN; case counts
//	Condition             StringEquals, StringNotEquals, StringLike, StringNotLike; each with IfExists behind it and with
//	                      ForAllValues: or ForAnyValue: before it
//	condition keys        aws:RequestTag/<key>, aws:ResourceTag/<key>, aws:TagKeys, aws:RequestedRegion; case does not count
//
// Policy variables ("${...}"), principals and every other operator, key and element are refused.
//
// Evaluate decides as AWS documents it: a request is denied unless a statement allows it, and a statement that denies
// it goes before all that allow it. A statement applies when its action, its resource and all of its conditions do.
//
// Sources, all checked 2026-11-22:
//
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
package iam
