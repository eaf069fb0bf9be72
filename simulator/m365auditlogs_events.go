package simulator

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// manageKind is one operation of a record type.
// https://learn.microsoft.com/en-us/office/office-365-management-api/office-365-management-activity-api-schema,
// https://learn.microsoft.com/en-us/purview/audit-log-activities (checked 2026-11-22)
type manageKind struct {
	record              int
	workload, operation string
	write               func(c composer, w *jsonWriter, rng *rand.Rand) []string // members of the type's own
}

func manageKinds() map[string][]manageKind {
	sts, directory := composer.manageSTS, composer.manageDirectory
	admin, item := composer.manageCmdlet, composer.manageMailbox
	file, share := composer.manageFile, composer.manageShare
	teams, dlp := composer.manageTeams, composer.manageDLP
	return map[string][]manageKind{
		"Audit.AzureActiveDirectory": {
			{15, "AzureActiveDirectory", "UserLoggedIn", sts}, {15, "AzureActiveDirectory", "UserLoginFailed", sts},
			{8, "AzureActiveDirectory", "Add user.", directory}, {8, "AzureActiveDirectory", "Delete user.", directory},
			{8, "AzureActiveDirectory", "Change user password.", directory}, {8, "AzureActiveDirectory", "Add member to role.", directory},
			{8, "AzureActiveDirectory", "Add member to group.", directory}, {8, "AzureActiveDirectory", "Consent to application.", directory},
		},
		"Audit.Exchange": {
			{1, "Exchange", "New-InboxRule", admin}, {1, "Exchange", "Set-Mailbox", admin}, {1, "Exchange", "Add-MailboxPermission", admin},
			{2, "Exchange", "Send", item}, {2, "Exchange", "SoftDelete", item}, {50, "Exchange", "MailItemsAccessed", item}, {2, "Exchange", "MailboxLogin", item},
		},
		"Audit.SharePoint": {
			{6, "SharePoint", "FileAccessed", file}, {6, "OneDrive", "FileDownloaded", file}, {6, "OneDrive", "FileModified", file},
			{6, "SharePoint", "FileDeleted", file}, {6, "SharePoint", "FileUploaded", file}, {4, "SharePoint", "PageViewed", file},
			{14, "SharePoint", "SharingSet", share}, {14, "OneDrive", "AnonymousLinkCreated", share}, {14, "SharePoint", "AddedToGroup", share},
		},
		"Audit.General": {
			{25, "MicrosoftTeams", "TeamCreated", teams}, {25, "MicrosoftTeams", "MemberAdded", teams}, {25, "MicrosoftTeams", "TeamsSessionStarted", teams},
			{40, "SecurityComplianceCenter", "AlertTriggered", teams}, {20, "PowerBI", "ViewReport", teams}, {18, "SecurityComplianceCenter", "New-ComplianceSearch", admin},
		},
		"DLP.All": {
			{11, "SharePoint", "DlpRuleMatch", dlp}, {13, "Exchange", "DlpRuleMatch", dlp}, {13, "Exchange", "DlpRuleUndo", dlp}, {11, "OneDrive", "DlpInfo", dlp},
		},
	}
}

func (c composer) manageComposers() map[string]composeFunc {
	out := map[string]composeFunc{}
	for contentType, kinds := range manageKinds() {
		out[contentType] = func(rng *rand.Rand, at time.Time) []byte { return c.manageRecord(pick(rng, kinds...), rng, at) }
	}
	return out
}

// manageRecord writes the common schema and what the record type adds to it.
func (c composer) manageRecord(kind manageKind, rng *rand.Rand, at time.Time) []byte {
	w := &jsonWriter{escapes: pick(rng, escapeLeast, escapeLeast, escapeLower, escapeUpper)}
	u := pick(rng, c.users...)
	userID, userKey, userType := u.Login, "10032001"+strings.ToUpper(randomID(rng, "", 8)), "0"
	if rng.IntN(8) == 0 {
		userID, userKey, userType = pick(rng, "app@sharepoint", "NT AUTHORITY\\SYSTEM (w3wp)", "ServicePrincipal_"+newUUID(rng)), "", pick(rng, "3", "4", "5")
	}
	status := pick(rng, "Success", "Succeeded", "True", "")
	if strings.Contains(kind.operation, "Failed") || rng.IntN(12) == 0 {
		status = pick(rng, "Failed", "PartiallySucceeded", "Failure")
	}
	members := []string{
		"CreationTime", w.text(at.UTC().Format(manageSeconds)), "Id", w.text(newUUID(rng)),
		"Operation", w.text(kind.operation), "OrganizationId", w.text(entraTenant),
		"RecordType", strconv.Itoa(kind.record), "UserKey", w.text(userKey), "UserType", userType, "Version", "1",
		"Workload", w.text(kind.workload), "UserId", w.text(userID),
	}
	if status != "" {
		members = append(members, "ResultStatus", w.text(status))
	}
	if ip := pick(rng, "198.51.100.7", "[2001:db8::1]:52113", "203.0.113.9:49152", "192.0.2.44", "<null>", ""); ip != "" {
		members = append(members, "ClientIP", w.text(ip))
	}
	members = append(members, kind.write(c, w, rng)...)
	return respace(w.object(members...), pick(rng, 0, 0, 0, 1, 2, 3), rng)
}

func manageName(w *jsonWriter, name, value string) string {
	return w.object("Name", w.text(name), "Value", w.text(value))
}

func (c composer) manageSTS(w *jsonWriter, rng *rand.Rand) []string {
	u := pick(rng, c.users...)
	members := []string{
		"ObjectId", w.text("797f4846-ba00-4fd7-ba43-dac1f8f63013"), "AzureActiveDirectoryEventType", "1",
		"ExtendedProperties", w.list(manageName(w, "ResultStatusDetail", "Success"), manageName(w, "UserAgent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"), manageName(w, "RequestType", "OAuth2:Authorize")),
		"ModifiedProperties", "[]",
		"Actor", w.list(w.object("ID", w.text(u.ID), "Type", "0"), w.object("ID", w.text(u.Login), "Type", "5")),
		"ActorContextId", w.text(entraTenant), "ActorIpAddress", w.text("198.51.100.7"), "InterSystemsId", w.text(newUUID(rng)),
		"IntraSystemId", w.text(newUUID(rng)), "SupportTicketId", `""`,
		"Target", w.list(w.object("ID", w.text("797f4846-ba00-4fd7-ba43-dac1f8f63013"), "Type", "0")),
		"TargetContextId", w.text(entraTenant), "ApplicationId", w.text(newUUID(rng)),
		"DeviceProperties", w.list(manageName(w, "OS", "Windows 11"), manageName(w, "BrowserType", "Edge"), manageName(w, "SessionId", newUUID(rng))),
	}
	if rng.IntN(3) == 0 {
		members = append(members, "ErrorNumber", w.text("50126"), "LogonError", w.text("InvalidUserNameOrPassword"))
	}
	return members
}

func (c composer) manageDirectory(w *jsonWriter, rng *rand.Rand) []string {
	u, by := pick(rng, c.users...), pick(rng, c.users...)
	return []string{
		"ObjectId", w.text(u.Login), "AzureActiveDirectoryEventType", "1",
		"ExtendedProperties", w.list(manageName(w, "additionalDetails", `{"UserType":"Member"}`)),
		"ModifiedProperties", w.list(w.object("Name", w.text("DisplayName"), "NewValue", w.text("[\r\n  \""+u.First+" "+u.Last+"\"\r\n]"), "OldValue", w.text("[]"))),
		"Actor", w.list(w.object("ID", w.text(by.Login), "Type", "5"), w.object("ID", w.text("User_"+by.ID), "Type", "2")),
		"ActorContextId", w.text(entraTenant), "InterSystemsId", w.text(newUUID(rng)), "IntraSystemId", w.text(newUUID(rng)),
		"Target", w.list(w.object("ID", w.text("User_"+u.ID), "Type", "2"), w.object("ID", w.text(u.Login), "Type", "5")),
		"TargetContextId", w.text(entraTenant),
	}
}

func (c composer) manageCmdlet(w *jsonWriter, rng *rand.Rand) []string {
	u := pick(rng, c.users...)
	return []string{
		"ObjectId", w.text("EURPR01A001.prod.outlook.com/contoso/" + u.First + " " + u.Last), "AppId", `""`, "ClientAppId", `""`,
		"ExternalAccess", pick(rng, "true", "false"), "OrganizationName", w.text("contoso.onmicrosoft.com"), "OriginatingServer", w.text("AM0PR01MB0001 (15.20.4200.000)"),
		"Parameters", w.list(manageName(w, "Identity", u.Login), manageName(w, "AccessRights", "FullAccess"), manageName(w, "Name", "« Règle n° 1 »")),
		"SessionId", pick(rng, `""`, w.text(newUUID(rng))),
	}
}

func (c composer) manageMailbox(w *jsonWriter, rng *rand.Rand) []string {
	u := pick(rng, c.users...)
	return []string{
		"ClientIPAddress", w.text("203.0.113.240"), "ClientInfoString", w.text("Client=OWA;Action=ViaProxy"), "ExternalAccess", "false",
		"InternalLogonType", "0", "LogonType", pick(rng, "0", "1", "2"), "LogonUserSid", w.text("S-1-5-21-1"), "MailboxGuid", w.text(newUUID(rng)),
		"MailboxOwnerSid", w.text("S-1-5-21-1"), "MailboxOwnerUPN", w.text(u.Login), "OrganizationName", w.text("contoso.onmicrosoft.com"),
		"Item", w.object("Id", w.text(randomID(rng, "RgAAAA", 20)), "InternetMessageId", w.text("<a@example.com>"),
			"ParentFolder", w.object("Id", w.text(randomID(rng, "LgAA", 8)), "Path", w.text(`\Gesendete Elemente`)), "Subject", w.text("Angebot – 見積り")),
	}
}

func (c composer) manageFile(w *jsonWriter, rng *rand.Rand) []string {
	return []string{
		"ObjectId", w.text("https://contoso.sharepoint.com/sites/köln/Shared Documents/Übersicht.docx"), "CorrelationId", w.text(newUUID(rng)),
		"EventSource", w.text("SharePoint"), "ItemType", w.text("File"), "ListId", w.text(newUUID(rng)), "ListItemUniqueId", w.text(newUUID(rng)),
		"Site", w.text(newUUID(rng)), "UserAgent", w.text("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"), "WebId", w.text(newUUID(rng)),
		"SourceFileExtension", w.text("docx"), "SiteUrl", w.text("https://contoso.sharepoint.com/sites/köln/"),
		"SourceFileName", w.text("Übersicht.docx"), "SourceRelativeUrl", w.text("Shared Documents"), "HighPriorityMediaProcessing", "false",
	}
}

func (c composer) manageShare(w *jsonWriter, rng *rand.Rand) []string {
	u := pick(rng, c.users...)
	return append(c.manageFile(w, rng),
		"EventData", w.text("<Permissions granted>Read</Permissions granted>"), "TargetUserOrGroupName", w.text(u.Login), "TargetUserOrGroupType", w.text(pick(rng, "Member", "Guest", "SharePointGroup")))
}

func (c composer) manageTeams(w *jsonWriter, rng *rand.Rand) []string {
	u := pick(rng, c.users...)
	return []string{
		"CommunicationType", w.text("Team"), "TeamGuid", w.text("19:" + randomID(rng, "", 12) + "@thread.tacv2"), "TeamName", w.text("Vertrieb 営業 \"EMEA\""),
		"Members", w.list(w.object("DisplayName", w.text(u.First+" "+u.Last), "Role", "1", "UPN", w.text(u.Login))), "ItemName", pick(rng, "null", w.text("x")),
		"AlertId", w.text(newUUID(rng)), "Severity", w.text(pick(rng, "Low", "Medium", "High")),
	}
}

func (c composer) manageDLP(w *jsonWriter, rng *rand.Rand) []string {
	return []string{
		"ObjectId", w.text("https://contoso.sharepoint.com/sites/köln/Löhne.xlsx"), "IncidentId", w.text(newUUID(rng)), "SensitiveInfoDetectionIsIncluded", "true",
		"PolicyDetails", w.list(w.object("PolicyId", w.text(newUUID(rng)), "PolicyName", w.text("Finanzdaten"), "Rules",
			w.list(w.object("RuleId", w.text(newUUID(rng)), "RuleName", w.text("Low volume"), "Severity", w.text(pick(rng, "Low", "Medium", "High")),
				"Actions", w.list(w.text("NotifyUser")), "ConditionsMatched", w.object("SensitiveInformation", w.list(w.object("Count", "1.0e1", "Confidence", "85", "SensitiveType", w.text(newUUID(rng))))))))),
		"SharePointMetaData", w.object("FileName", w.text("Löhne.xlsx"), "SiteCollectionUrl", w.text("https://contoso.sharepoint.com/sites/köln"), "UniqueID", w.text(newUUID(rng))),
	}
}
