// Package permission finds out what on this system stands in the way of a
// socket, and what would remove it.
package permission
