package sys

import "encoding/binary"

// splitRFC4884 reads the two fields that the kernel lays over ee_data.
func splitRFC4884(data uint32) (offset int, invalid bool) {
	const flagInvalid = 1 // SO_EE_RFC4884_FLAG_INVALID
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], data)
	return int(binary.NativeEndian.Uint16(b[:])), b[2]&flagInvalid != 0
}
