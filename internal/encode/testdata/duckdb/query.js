// Runs the statements of standard input, a JSON list, and prints what each
// answered: a list of rows.
"use strict";
const { DuckDBInstance } = require("@duckdb/node-api");
const { readFileSync, writeSync } = require("node:fs");

async function main() {
  const database = await (await DuckDBInstance.create(":memory:")).connect();
  const answers = [];
  for (const statement of JSON.parse(readFileSync(0, "utf8"))) {
    answers.push((await database.runAndReadAll(statement)).getRowObjectsJson());
  }
  const text = Buffer.from(JSON.stringify(answers));
  for (let at = 0; at < text.length; ) at += writeSync(1, text, at);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
