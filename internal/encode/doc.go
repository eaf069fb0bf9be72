// Package encode turns records into the bytes of a stored page, and into the lines
// of a delivery, and names the object that holds them. What it makes depends on
// nothing but what it is given: the same batch gives the same bytes under the same
// key.
package encode
