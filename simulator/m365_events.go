package simulator

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// graphActivity is one activity of the audit log.
// https://learn.microsoft.com/en-us/entra/identity/monitoring-health/reference-audit-activities (checked 2026-11-22)
type graphActivity struct {
	name, category, service, operation string
	target                             string // type of the target resource
}

func graphActivities() []graphActivity {
	return []graphActivity{
		{"Add user", "UserManagement", "Core Directory", "Add", "User"},
		{"Update user", "UserManagement", "Core Directory", "Update", "User"},
		{"Delete user", "UserManagement", "Core Directory", "Delete", "User"},
		{"Disable account", "UserManagement", "Core Directory", "Update", "User"},
		{"Reset user password", "UserManagement", "Core Directory", "Update", "User"},
		{"Reset password (self-service)", "UserManagement", "Self-service Password Management", "Update", "User"},
		{"User registered security info", "UserManagement", "Authentication Methods", "Update", "User"},
		{"Add member to group", "GroupManagement", "Core Directory", "Assign", "User"},
		{"Remove member from group", "GroupManagement", "Core Directory", "Unassign", "User"},
		{"GroupLifecyclePolicies_Get", "GroupManagement", "Self-service Group Management", "Update", "N/A"},
		{"Add member to role", "RoleManagement", "Core Directory", "Assign", "Role"},
		{"Add member to role completed (PIM activation)", "RoleManagement", "PIM", "Assign", "Role"},
		{"Consent to application", "ApplicationManagement", "Core Directory", "Assign", "ServicePrincipal"},
		{"Update application – Certificates and secrets management ", "ApplicationManagement", "Core Directory", "Update", "Application"},
		{"Add conditional access policy", "Policy", "Conditional Access", "Add", "Policy"},
		{"Delete device", "Device", "Core Directory", "Delete", "Device"},
		{"Invite external user", "UserManagement", "Invited Users", "Add", "User"},
		{"Set Company Information", "DirectoryManagement", "Core Directory", "Update", "Directory"},
	}
}

// graphTime has seven fractional digits, as .NET writes them.
func graphTime(w *jsonWriter, at time.Time) string {
	return w.text(at.UTC().Format("2006-01-02T15:04:05.0000000Z"))
}

// graphAudit writes one directoryAudit.
// https://learn.microsoft.com/en-us/graph/api/resources/directoryaudit (checked 2026-11-22)
func (c composer) graphAudit(rng *rand.Rand, at time.Time) []byte {
	kind := pick(rng, graphActivities()...)
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	u, correlation := pick(rng, c.users...), newUUID(rng)
	user, app := w.object(
		"id", w.text(u.ID), "displayName", pick(rng, "null", w.text(u.First+" "+u.Last)), "userPrincipalName", w.text(u.Login),
		"ipAddress", w.text(graphAddress(rng)), "userType", "null", "homeTenantId", "null", "homeTenantName", "null"), "null"
	if rng.IntN(4) == 0 {
		user, app = "null", w.object("appId", "null", "displayName", w.text("Microsoft Substrate Management"), "servicePrincipalId", w.text(newUUID(rng)), "servicePrincipalName", "null")
	}
	result, reason := "success", pick(rng, `""`, "null", w.text("OK"))
	if rng.IntN(6) == 0 {
		result, reason = pick(rng, "failure", "timeout"), w.text("Microsoft.Online.Workflows.ValidationException – „ungültig“")
	}
	return respace(w.object(
		"id", w.text("Directory_"+correlation+"_"+strings.ToUpper(randomID(rng, "", 5))+"_"+strconv.Itoa(rng.IntN(1e9))),
		"category", w.text(kind.category), "correlationId", w.text(correlation),
		"result", w.text(result), "resultReason", reason,
		"activityDisplayName", w.text(kind.name), "activityDateTime", graphTime(w, at),
		"loggedByService", w.text(kind.service), "operationType", w.text(kind.operation),
		"initiatedBy", w.object("user", user, "app", app),
		"targetResources", c.graphTargets(w, rng, kind.target),
		"additionalDetails", pick(rng, "[]", w.list(w.object("key", w.text("User-Agent"), "value", w.text("EvoSTS/\"2.0\"\n")))),
	), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

func (c composer) graphTargets(w *jsonWriter, rng *rand.Rand, kind string) string {
	u := pick(rng, c.users...)
	changed := pick(rng, "[]", w.list(w.object("displayName", w.text("AccountEnabled"), "oldValue", "null", "newValue", w.text("[false]")),
		w.object("displayName", w.text("Included Updated Properties"), "oldValue", "null", "newValue", w.text(`"AccountEnabled"`))))
	target := func(id, name, kind, principal string) string {
		return w.object("id", w.text(id), "displayName", w.text(name), "type", w.text(kind), "userPrincipalName", w.text(principal),
			"groupType", pick(rng, "null", w.text("unifiedGroups")), "modifiedProperties", changed)
	}
	person := target(u.ID, "", "User", u.Login)
	switch kind {
	case "User":
		return pick(rng, w.list(person), w.list(person, target(newUUID(rng), "Vertrieb – Köln / 営業", "Group", "")))
	case "Role":
		return w.list(target(newUUID(rng), "Global Reader", "Role", ""), person)
	}
	return w.list(target(newUUID(rng), "Büro \"prod\"", kind, ""))
}

func graphAddress(rng *rand.Rand) string {
	return pick(rng, "198.51.100.7", "203.0.113.240", "2001:db8::8a2e:370:7334", "192.0.2.1", "")
}

// graphSignIn writes one signIn.
// https://learn.microsoft.com/en-us/graph/api/resources/signin (checked 2026-11-22)
func (c composer) graphSignIn(rng *rand.Rand, at time.Time) []byte {
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	u := pick(rng, c.users...)
	status := w.object("errorCode", "0", "failureReason", pick(rng, "null", w.text("Other.")), "additionalDetails", pick(rng, "null", w.text("MFA requirement satisfied by claim in the token")))
	if rng.IntN(4) == 0 {
		status = w.object("errorCode", pick(rng, "50126", "50074", "53003", "65001"), "failureReason", w.text("Error validating credentials due to invalid username or password."), "additionalDetails", "null")
	}
	risk := pick(rng, "none", "hidden", "medium")
	return respace(w.object(
		"id", w.text(newUUID(rng)), "createdDateTime", graphTime(w, at),
		"userDisplayName", w.text(u.First+" "+u.Last), "userPrincipalName", w.text(u.Login), "userId", w.text(u.ID),
		"appId", w.text("de8bc8b5-d9f9-48b1-a8ad-b748da725064"), "appDisplayName", w.text(pick(rng, "Graph Explorer", "Azure Portal", "Office 365 – Übersicht")),
		"ipAddress", w.text(graphAddress(rng)), "clientAppUsed", w.text(pick(rng, "Browser", "Mobile Apps and Desktop clients", "IMAP4")),
		"correlationId", w.text(newUUID(rng)), "conditionalAccessStatus", w.text(pick(rng, "success", "failure", "notApplied")),
		"isInteractive", pick(rng, "true", "false"), "riskDetail", w.text("none"), "riskLevelAggregated", w.text(risk),
		"riskLevelDuringSignIn", w.text(risk), "riskState", w.text(pick(rng, "none", "atRisk")),
		"riskEventTypes", "[]", "riskEventTypes_v2", pick(rng, "[]", w.list(w.text("unlikelyTravel"))),
		"resourceDisplayName", w.text("Microsoft Graph"), "resourceId", w.text("00000003-0000-0000-c000-000000000000"),
		"status", status,
		"deviceDetail", w.object("deviceId", pick(rng, `""`, w.text(newUUID(rng))), "displayName", pick(rng, "null", w.text("Zoë's Laptop")),
			"operatingSystem", w.text("Windows 11"), "browser", w.text("Edge 131.0.0"), "isCompliant", pick(rng, "true", "null"), "isManaged", "false", "trustType", "null"),
		"location", pick(rng, "null", w.object("city", w.text("Köln"), "state", w.text("Nordrhein-Westfalen"), "countryOrRegion", w.text("DE"),
			"geoCoordinates", w.object("altitude", "null", "latitude", "50.94000005722046", "longitude", "6.959e0"))),
		"appliedConditionalAccessPolicies", pick(rng, "[]", w.list(w.object("id", w.text(newUUID(rng)), "displayName", w.text("Require MFA (全員)"),
			"enforcedGrantControls", w.list(w.text("Mfa")), "enforcedSessionControls", "[]", "result", w.text("success")))),
	), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}
