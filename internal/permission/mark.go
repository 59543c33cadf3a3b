package permission

import "fmt"

// Mark says what denies a routing mark (SO_MARK of socket(7)).
func Mark(mark uint32) (obstacle, cure string) {
	return fmt.Sprintf("the routing mark %d needs CAP_NET_ADMIN or CAP_NET_RAW", mark), cureCapability
}
