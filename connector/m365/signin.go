package m365

import (
	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// typeSignIn is the type of a sign-in: the log has no name for one but that of
// its resource.
const typeSignIn = "signIn"

// Paths of the sign-ins that functions read.
const (
	errorPath     = "status.errorCode"
	latPath       = "location.geoCoordinates.latitude"
	lonPath       = "location.geoCoordinates.longitude"
	riskPath      = "riskLevelDuringSignIn"
	managedPath   = "deviceDetail.isManaged"
	compliantPath = "deviceDetail.isCompliant"
	needsPath     = "authenticationRequirement"
)

func signInTable() mapping.Table {
	return mapping.Table{
		Version: version,
		Product: product(),
		Time:    signInTime,
		Code: func(r *mapping.Record) string {
			if r.Text(signInTime) == "" {
				return ""
			}
			return typeSignIn
		},
		Rows: signInRows(),
		Read: []string{errorPath, latPath, lonPath, riskPath, managedPath, compliantPath, needsPath},
		Choices: map[string]map[string]ocsf.Choice{
			// The risk that Microsoft has seen; "hidden" is what those see who have no
			// licence for it.
			riskPath: {
				"none": ocsf.Pick(ocsf.SeverityInformational), "low": ocsf.Pick(ocsf.SeverityLow),
				"medium": ocsf.Pick(ocsf.SeverityMedium), "high": ocsf.Pick(ocsf.SeverityHigh),
			},
		},
		Rules:  []mapping.Rule{{Type: typeSignIn, Class: ocsf.Authentication, Activity: 1, Else: 2}},
		Finish: finishSignIn,
	}
}

func signInRows() []mapping.Row {
	return []mapping.Row{
		{From: "id", To: "metadata.uid"},
		{From: "correlationId", To: "metadata.correlation_uid"},
		{From: errorPath, To: "status_code"},
		{From: "status.failureReason", To: "status_detail"},

		{From: "userId", To: "actor.user.uid"},
		{From: "userDisplayName", To: "actor.user.name"},
		{From: "userPrincipalName", To: "actor.user.login"},
		{From: "userId", To: "user.uid"},
		{From: "userDisplayName", To: "user.name"},
		{From: "userPrincipalName", To: "user.login"},
		{From: "appDisplayName", To: "service.name"},
		{From: "appId", To: "service.uid"},

		{From: "ipAddress", To: "device.ip"},
		{From: "ipAddress", To: "src_endpoint.ip"},
		{From: "userAgent", To: "http_request.user_agent"},
		{From: "deviceDetail.deviceId", To: "device.uid"},
		{From: "deviceDetail.displayName", To: "device.name"},
		{From: "deviceDetail.operatingSystem", To: "device.os.agent"},
		{From: "location.city", To: "device.location.city"},
		{From: "location.state", To: "device.location.region"},
		{From: "location.countryOrRegion", To: "device.location.country"},
		{From: "location.city", To: "src_endpoint.location.city"},
		{From: "location.state", To: "src_endpoint.location.region"},
		{From: "location.countryOrRegion", To: "src_endpoint.location.country"},
	}
}

func finishSignIn(r *mapping.Record, e *ocsf.Event) {
	switch code := r.Text(errorPath); code {
	case "":
	case "0":
		e.Status = ocsf.Pick(ocsf.StatusSuccess)
	default:
		e.Status = ocsf.Pick(ocsf.StatusFailure)
	}
	e.Severity = r.Pick(riskPath)
	if e.Device.IP != "" || e.SrcEndpoint.IP != "" || e.Device.UID != "" || e.Device.Name != "" {
		point := r.Point(latPath, lonPath)
		if e.Device.IP != "" || e.Device.UID != "" || e.Device.Name != "" {
			e.Device.Location.Point = point
			e.Device.IsManaged, e.Device.IsCompliant = flag(r.Take(managedPath)), flag(r.Take(compliantPath))
		}
		if e.SrcEndpoint.IP != "" {
			e.SrcEndpoint.Location.Point = point
		}
	}
	if e.Class != ocsf.Authentication {
		e.WebResources = append(e.WebResources, ocsf.Resource{Name: entraID, Type: "Directory"})
		return
	}
	if e.Service == (ocsf.Service{}) {
		e.Service.Name = entraID
	}
	switch r.Text(needsPath) {
	case "multiFactorAuthentication":
		e.IsMFA = ocsf.True
		r.Use(needsPath)
	case "singleFactorAuthentication":
		e.IsMFA = ocsf.False
		r.Use(needsPath)
	}
}

func flag(s string) ocsf.Flag {
	switch s {
	case "true":
		return ocsf.True
	case "false":
		return ocsf.False
	default:
		return ocsf.Unset
	}
}
