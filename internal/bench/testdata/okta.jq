# Events of Okta's System Log, one a line, to OCSF events: the mapping of selvedge
# normalize, as one who knows jq would write it. Run it with jq -n -R -c -f.
# Lines are read as text (-R), so that raw_data has the record's own bytes; with
# -n the tables are made once. There are no regular expressions, which are slow.
#
# Left out, which favours jq: types of events that the simulator does not make,
# checks of addresses and lengths, the base event, numbers in their own spelling.

def known: {
  "app.oauth2.token.detect_reuse": [2004, 1], "app.oauth2.token.grant.refresh_token": [6001, 99, "Grant App Privileges"],
  "application.lifecycle.update": [6001, 3], "application.user_membership.add": [3005, 1],
  "application.user_membership.remove": [3005, 2], "group.lifecycle.create": [6001, 1],
  "group.user_membership.add": [3006, 3], "group.user_membership.remove": [3006, 4],
  "policy.evaluate_sign_on": [6001, 3], "policy.lifecycle.update": [6001, 3], "policy.rule.update": [6001, 3],
  "security.threat.detected": [2004, 1], "system.api_token.create": [6001, 1], "system.api_token.revoke": [6001, 3],
  "user.account.lock": [3001, 9], "user.account.privilege.grant": [6001, 3], "user.account.reset_password": [3001, 4],
  "user.account.update_password": [3001, 3], "user.account.update_profile": [3001, 99, "Update"],
  "user.authentication.auth_via_mfa": [3002, 1], "user.authentication.sso": [3002, 1], "user.authentication.verify": [3002, 1],
  "user.lifecycle.activate": [3001, 2], "user.lifecycle.create": [3001, 1], "user.lifecycle.deactivate": [3001, 5],
  "user.lifecycle.suspend": [3001, 5], "user.mfa.factor.activate": [3001, 10], "user.mfa.factor.deactivate": [3001, 11],
  "user.mfa.okta_verify.deny_push": [3002, 1], "user.session.access_admin_app": [6001, 2], "user.session.end": [3002, 2], "user.session.impersonation.grant": [6001, 3],
  "user.session.start": [3002, 1], "zone.update": [6001, 3]
};

def classes: {
  "2004": ["Detection Finding", 2, "Findings"], "3001": ["Account Change", 3, "Identity & Access Management"],
  "3002": ["Authentication", 3, "Identity & Access Management"], "3005": ["User Access Management", 3, "Identity & Access Management"],
  "3006": ["Group Management", 3, "Identity & Access Management"], "6001": ["Web Resources Activity", 6, "Application Activity"]
};

def activities: {
  "2004": {"1": "Create", "2": "Update", "3": "Close"},
  "3001": {"1": "Create", "2": "Enable", "3": "Password Change", "4": "Password Reset", "5": "Disable", "9": "Lock", "10": "MFA Factor Enable", "11": "MFA Factor Disable"},
  "3002": {"1": "Logon", "2": "Logoff"}, "3005": {"1": "Assign Privileges", "2": "Revoke Privileges"},
  "3006": {"1": "Assign Privileges", "2": "Revoke Privileges", "3": "Add User", "4": "Remove User"},
  "6001": {"1": "Create", "2": "Read", "3": "Update", "4": "Delete"}
};

def severities: {"DEBUG": [1, "Informational"], "INFO": [1, "Informational"], "WARN": [3, "Medium"], "ERROR": [4, "High"]};

def statuses: {"SUCCESS": [1, "Success"], "ALLOW": [1, "Success"], "FAILURE": [2, "Failure"], "DENY": [2, "Failure"]};

# used: the paths that are mapped. What the list leaves becomes unmapped.
def used: {
  "uuid": 1, "published": 1, "eventType": 1, "displayMessage": 1, "severity": 1, "outcome.result": 1, "outcome.reason": 1,
  "transaction.id": 1, "actor.id": 1, "actor.type": 1, "actor.alternateId": 1, "actor.displayName": 1,
  "authenticationContext.externalSessionId": 1, "client.ipAddress": 1, "client.device": 1, "client.userAgent.os": 1,
  "client.userAgent.rawUserAgent": 1, "client.geographicalContext.city": 1, "client.geographicalContext.state": 1,
  "client.geographicalContext.country": 1, "client.geographicalContext.postalCode": 1,
  "client.geographicalContext.geolocation.lat": 1, "client.geographicalContext.geolocation.lon": 1,
  "debugContext.debugData.requestId": 1, "debugContext.debugData.requestUri": 1, "securityContext.domain": 1, "securityContext.isp": 1
};

# fewer: of those, what classes without http_request and src_endpoint have a place for.
def fewer: used | del(.["client.userAgent.rawUserAgent", "debugContext.debugData.requestId", "debugContext.debugData.requestUri", "securityContext.domain"]);

def present: . as $all | reduce keys_unsorted[] as $key ({};
  $all[$key] as $value | if $value == null or $value == {} or $value == "" or $value == [] then . else .[$key] = $value end);

# leaves: {path: text} of each. A walk of its own is five times as fast as tostream.
def leaves($path; $used):
  if type == "object" then keys_unsorted[] as $key | .[$key] | leaves(if $path == "" then $key else $path + "." + $key end; $used)
  elif type == "array" then range(length) as $at | .[$at] | leaves($path + "[\($at)]"; $used)
  elif . == null or . == "" or $used[$path] then empty
  else {($path): tostring} end;

# unmapped: but for what the class took of the targets numbered in $taken.
def unmapped($used; $taken; $users):
  ([leaves(""; $used)] | add) as $left
  | .target as $targets | reduce $taken[] as $at ($left;
      delpaths(["id", "type", "displayName", if $targets[$at].type == "User" and $users then "alternateId" else "id" end] | map(["target[\($at)].\(.)"])));

def millis: (.[0:19] + "Z" | fromdateiso8601) * 1000 + (.[20:23] | tonumber);

def user_type: {"User": [1, "User"], "AppUser": [1, "User"], "SystemPrincipal": [3, "System"]}[.] // [99, .];

# said: nothing, where the text says that there is no value.
def said: if type == "string" and ascii_downcase == "unknown" then null else . end;
def identified: if type == "object" then with_entries(if .key == "id" or .key == "alternateId" or .key == "displayName" then .value |= said else . end) else . end;
# unsaid: the leaves that said took away, which are unmapped.
def unsaid($e): . as $given
  | [(("id", "alternateId", "displayName") as $key
      | (select($given.actor[$key] != null and $e.actor[$key] == null) | {"actor.\($key)": $given.actor[$key]}),
        (range($given.target // [] | length) as $i | select($given.target[$i][$key] != null and $e.target[$i][$key] == null) | {"target[\($i)].\($key)": $given.target[$i][$key]})),
     ($given.authenticationContext.externalSessionId | select(. != null and $e.authenticationContext.externalSessionId == null) | {"authenticationContext.externalSessionId": .})] | add // {};

def user: (.type | user_type) as $type | {name: .displayName, uid: .id}
  + (if .alternateId == null then {} elif .alternateId | contains("@") then {email_addr: .alternateId} else {uid_alt: .alternateId} end)
  + {type_id: $type[0], type: $type[1]} | present;

def operating_system: if . == null then null else
  (ascii_downcase as $name | if $name | contains("windows") then [100, "Windows"] elif $name | contains("mac") then [300, "macOS"]
   elif $name | contains("linux") then [200, "Linux"] elif $name == "unknown" then [0, "Unknown"] else [99, .] end) as $type | {name: ., type_id: $type[0], type: $type[1]} end;

def device_type: if . == null or . == "Unknown" then [0, "Unknown"] elif . == "Mobile" then [5, .] elif . == "Tablet" then [4, .] else [99, .] end;

def location($isp): {city, region: .state, country, postal_code: .postalCode, isp: $isp,
  coordinates: (if .geolocation.lat != null then [.geolocation.lon, .geolocation.lat] else null end)} | present;

def resource: {name: (.displayName // .alternateId), uid: .id, type: .type} | present;

used as $used | fewer as $fewer | known as $known | classes as $classes | activities as $activities | severities as $severities | statuses as $statuses
| inputs as $raw | $raw | fromjson as $given
| ($given | .actor |= identified | if .target then .target |= map(identified) else . end
   | if .authenticationContext.externalSessionId then .authenticationContext.externalSessionId |= said else . end) as $e
| ($e.target // []) as $targets
| ([range($targets | length) as $i | select($targets[$i].type == "User") | $i][0]) as $user_at
| ([range($targets | length) as $i | select($targets[$i].type == "UserGroup") | $i][0]) as $group_at
| ([range($targets | length) as $i | select($targets[$i].type == "AppInstance") | $i][0]) as $app_at
| ($known[$e.eventType] // [6001, 99, $e.eventType]) as $rule
| $rule[0] as $class | ($class != 3005 and $class != 3006 and $class != 2004) as $web | $rule[1] as $activity | $classes["\($class)"] as $names
| (if $activity == 99 then "Other" else $activities["\($class)"]["\($activity)"] end) as $caption
| ($rule[2] // $caption) as $activity_name
| $severities[$e.severity] as $severity
| $statuses[$e.outcome.result] as $status
| ($e.client.geographicalContext | if . == null then null else location($e.securityContext.isp) end) as $location
| (if $class == 6001 then [range($targets | length)]
   elif $class == 2004 then []
   elif $class == 3005 or $class == 3006 then [$user_at, if $class == 3006 then $group_at else $app_at end] | map(select(. != null))
   elif $class == 3002 then [$user_at, $app_at] | map(select(. != null))
   else [$user_at] | map(select(. != null)) end) as $taken
| {
    activity_id: $activity, activity_name: $activity_name,
    category_uid: $names[1], category_name: $names[2], class_uid: $class, class_name: $names[0],
    type_uid: ($class * 100 + $activity), type_name: "\($names[0]): \($caption)",
    time: ($e.published | millis),
    severity_id: $severity[0], severity: $severity[1], status_id: $status[0], status: $status[1], status_detail: $e.outcome.reason,
    message: $e.displayMessage,
    metadata: ({
      uid: $e.uuid, event_code: $e.eventType, correlation_uid: $e.transaction.id, original_time: $e.published,
      processed_time: (now * 1000 | floor), log_provider: "jq", log_version: "2026-11-22",
      product: {name: "Okta", uid: "okta", vendor_name: "Okta"},
      profiles: (if $e.client.ipAddress != null then ["host"] else null end), version: "1.1.0"
    } | present),
    actor: ({user: ($e.actor | user), session: ({uid: $e.authenticationContext.externalSessionId} | present)} | present),
    user: (if $class == 6001 or $class == 2004 then null elif $user_at != null then $targets[$user_at] | user elif $class == 3002 then $e.actor | user else null end),
    group: (if $class == 3006 then $targets[$group_at] | resource else null end),
    resource: (if $class == 3005 then $targets[$app_at] | resource else null end),
    privileges: (if $class == 3005 then [$targets[$app_at].displayName] else null end),
    web_resources: (if $class != 6001 then null elif $targets == [] then [{name: "Okta", type: "Organization"}] else $targets | map(resource) end),
    service: (if $class != 3002 then null elif $app_at != null then $targets[$app_at] | {name: .displayName, uid: .id} else {name: "Okta", uid: "okta"} end),
    is_mfa: (if $class == 3002 and ($e.eventType | (endswith(".auth_via_mfa") or startswith("user.mfa.okta_verify"))) then true else null end),
    finding_info: (if $class == 2004 then {title: $e.displayMessage, uid: $e.uuid, types: [$e.eventType]} else null end),
    session: (if $class == 3002 then {uid: $e.authenticationContext.externalSessionId} | present else null end),
    device: (if $e.client.ipAddress == null then null else ($e.client.device | device_type) as $type
      | {ip: $e.client.ipAddress, type_id: $type[0], type: $type[1], os: ($e.client.userAgent.os | operating_system), location: $location} | present end),
    src_endpoint: (if $e.client.ipAddress == null or ($web | not) then null else {ip: $e.client.ipAddress, domain: $e.securityContext.domain, location: $location} | present end),
    http_request: (if $web | not then null else {
      uid: $e.debugContext.debugData.requestId, user_agent: $e.client.userAgent.rawUserAgent,
      url: (if $e.debugContext.debugData.requestUri != null then {path: $e.debugContext.debugData.requestUri} else null end)
    } | present end),
    unmapped: (($e | unmapped(if $web then $used else $fewer end; $taken; $class != 6001)) + ($given | unsaid($e))),
    raw_data: $raw
  } | present
