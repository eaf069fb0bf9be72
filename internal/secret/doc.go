// Package secret seals what must not be read at rest: envelope encryption with
// the standard library's AES-256-GCM.
//
// # Keys
//
//	master key (a line of a file, 0600) --HKDF--> key-encryption key --wraps--> one data key per app bundle --seals--> secrets
//	                                    --HKDF--> server key --seals--> secrets that belong to no bundle, among them the seed
//	KMS key that the bundle names (see KEK) ------------------wraps--> the bundle's data key
//	seed --HKDF--> keys of states, next tokens and keyed hashes
//
// A wrapped data key opens only for the bundle whose ARN it was wrapped for. A
// sealed secret opens only as the same field of the same owner in the same
// bundle at the same version: a row that was copied over another does not open.
//
// A server may know several master keys. What is made goes under the one that
// the database says is in use; Rewrap and Reseal put what is there under the
// newest. Whoever cannot have a data key now gets a *KeyError, and waits.
//
// # Forms
//
//	wrapped data key: 2 | kind (1 byte) | mark (8) | length (2) and ARN of the KMS key | nonce (12), ciphertext and tag, or what KMS gave
//	server secret:    2 | kind (1) | mark (8) | nonce (12) | ciphertext and tag
//	sealed secret:    1 | version of the data key (4) | nonce (12) | ciphertext and tag
//
// The mark is the id of the master key, or the time at which KMS wrapped. Data
// keys and server secrets in the form of sealed secrets are older than marks; they
// open under any master key that is known. Numbers are big-endian. Nonces are random; a
// data key may seal 2^32 secrets before a nonce is likely to recur, which no
// bundle comes near.
package secret
