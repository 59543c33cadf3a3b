// Package netlab runs tests against the real kernel, in a network namespace
// that is theirs alone.
//
// A test calls [Test] with the function that does the work. The test binary is
// then run again in a new network namespace (and, where the user is not root,
// in a new user namespace, which is what allows it), with that one test
// selected, and the function runs there. What it does to addresses, routes and
// settings is gone when it ends, and no packet of it can leave the machine.
//
// A Test that is Unprivileged runs its function in a third process, which has
// lost all capabilities over the namespace.
//
// [Carry] puts a simulated network behind that kernel, and a [Chain] is a row of
// kernels that are routers.
//
// Where the system forbids namespaces, Test skips and says what was refused.
package netlab
