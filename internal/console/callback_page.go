package console

// callbackStyle is between the style tags of callbackPage, byte for byte:
// styleHash lets it in.
const callbackStyle = `:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--good:#0b6b3a;--bad:#a3211b;--rule:#d0d7de}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--good:#56d364;--bad:#ff7b72;--rule:#30363d}}
body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.5 system-ui,sans-serif}
main{max-width:36rem;margin:15vh auto 2rem;padding:0 1.25rem}
h1{font-size:1.5rem;color:var(--bad)}h1.good{color:var(--good)}
blockquote{margin:1rem 0;padding:.25rem 1rem;border-left:.25rem solid var(--rule);overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dd{margin:0;overflow-wrap:anywhere}`

// styleHash is the SHA-256 of callbackStyle in base64.
const styleHash = "0kObw5kWnWsLxQ15Gyo0/2dZ0MfuJQG96qfCa0G9iA8="

const callbackPage = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} - Selvedge</title>
<style>` + callbackStyle + `</style>
</head>
<body>
<main>
<h1{{if .Good}} class="good"{{end}}>{{.Title}}</h1>
{{- if .App}}
<dl><dt>Application</dt><dd>{{.App}}</dd><dt>Tenant</dt><dd>{{.Tenant}}</dd></dl>
{{- end}}
{{- if .Reason}}
<p>It said:</p>
<blockquote>{{.Reason}}</blockquote>
{{- end}}
<p>{{.Text}}</p>
{{- if .Path}}
<p><a href="{{.Path}}">{{if .Good}}Go on in the console{{else}}See it in the console{{end}}</a></p>
{{- end}}
</main>
</body>
</html>
`
