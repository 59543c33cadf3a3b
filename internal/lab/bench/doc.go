// Bench measures what the library costs and what it can do, and prints one
// table. It needs nothing but Linux:
//
//	go run ./internal/lab/bench
//
// It runs itself again in a new network namespace (and, where the user is not
// root, in a new user namespace, which is what allows it), so that no packet
// leaves the machine and no setting of it is changed. There it pings loopback
// addresses, which the kernel answers.
//
// What is compared is measured in one run, by turns, as processor time of all
// that took part, children included, and the median of the ratios is given: the
// figures of one turn say more about who else was busy.
//
// Where fping and ping are installed, they are measured beside it.
package main
