package transport

import "errors"

func openTCP(cfg linkConfig) (link, error) { return nil, errors.ErrUnsupported }
