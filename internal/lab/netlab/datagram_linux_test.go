package netlab_test

import "syscall"

func datagramOpen() bool {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, syscall.IPPROTO_ICMP)
	if err == nil {
		syscall.Close(fd)
	}
	return err == nil
}
