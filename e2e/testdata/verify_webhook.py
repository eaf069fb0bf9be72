"""Verifies webhooks, as a receiver does by the Standard Webhooks specification.

The argument is the secret, standard input a JSON list of webhooks.
"""

import base64
import hashlib
import hmac
import json
import sys
import time

secret = base64.b64decode(sys.argv[1].removeprefix("whsec_"), validate=True)
webhooks = json.load(sys.stdin)
for w in webhooks:
    content = f"{w['id']}.{w['timestamp']}.".encode() + w["body"].encode()
    want = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
    given = [s.partition(",") for s in w["signature"].split(" ")]
    if not any(v == "v1" and hmac.compare_digest(s, want) for v, _, s in given):
        sys.exit(f"{w['id']}: no signature is right: {w['signature']}")
    if abs(time.time() - int(w["timestamp"])) > 300:
        sys.exit(f"{w['id']}: the timestamp {w['timestamp']} is too far off")
    if "." in w["id"] or not w["id"].startswith("msg_"):
        sys.exit(f"{w['id']}: no id")
    json.loads(w["body"])
print(len(webhooks), "verified")
