package permission

import "fmt"

const cureAdministrator = "run the program from a terminal that was started with \"Run as administrator\""

// Datagram explains denied calls of the IP Helper API, which normally require no
// privilege.
func Datagram() (obstacle, cure string) {
	return "the IP Helper API is denied to this process, as it may be in an app container", "run the program outside of it"
}

// Raw explains a denied raw socket.
func Raw() (obstacle, cure string) {
	return "raw sockets need an administrator on Windows", cureAdministrator +
		", and let ICMP in by a rule of the firewall; or use mode datagram, which needs neither"
}

// Mark explains a denied routing mark.
func Mark(mark uint32) (obstacle, cure string) {
	return fmt.Sprintf("the routing mark %d is not available on Windows", mark), "leave it out"
}
