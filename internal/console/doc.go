// Package console is what people see in a browser: server-rendered pages that
// need no script and load nothing from elsewhere.
package console
