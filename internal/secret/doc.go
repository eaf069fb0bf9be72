// Package secret seals what must not be read at rest: envelope encryption with
// the standard library's AES-256-GCM.
//
// # Keys
//
//	master key (a file, 0600) --HKDF--> key-encryption key --wraps--> one data key per app bundle --seals--> secrets
//	                          --HKDF--> server key --seals--> secrets that belong to no bundle
//
// A wrapped data key opens only for the bundle whose ARN it was wrapped for. A
// sealed secret opens only as the same field of the same owner in the same
// bundle at the same version: a row that was copied over another does not open.
//
// # Forms
//
//	wrapped data key: format (1 byte) | key version (4) | nonce (12) | ciphertext and tag
//	sealed secret:    format (1 byte) | key version (4) | nonce (12) | ciphertext and tag
//
// Numbers are big-endian. Nonces are random; a data key may seal 2^32 secrets
// before a nonce is likely to recur, which no bundle comes near.
package secret
