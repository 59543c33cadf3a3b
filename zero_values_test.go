package icmplib_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/doc"
	"net/netip"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// zeroValues are the exported types that are structures, by package.
var zeroValues = map[string][]any{
	".": {
		icmplib.BlackHole{}, icmplib.Capabilities{}, icmplib.Capability{}, icmplib.Config{}, icmplib.Counters{}, icmplib.Diamond{},
		icmplib.Event{}, icmplib.ExplainLossOptions{}, icmplib.Graph{}, icmplib.GraphEdge{}, icmplib.GraphHop{}, icmplib.GraphNode{},
		icmplib.GraphPoint{}, icmplib.Hop{}, icmplib.HopLoss{}, icmplib.HopMTU{}, icmplib.Host{}, icmplib.LossReport{}, icmplib.LossShare{},
		icmplib.MTUReport{}, icmplib.MonitorOptions{}, icmplib.MultiPingOptions{}, icmplib.MultiTracerouteOptions{}, &icmplib.NameCache{},
		icmplib.Packet{}, icmplib.PathMTUOptions{}, icmplib.PingOptions{}, icmplib.ProbeOptions{}, &icmplib.Prober{}, icmplib.Progress{},
		icmplib.Quoted{}, icmplib.Responder{}, icmplib.Result{}, icmplib.RewritePoint{}, icmplib.Route{}, icmplib.Snapshot{},
		icmplib.Stats{}, &icmplib.Stream{}, icmplib.StreamProbe{}, icmplib.StreamResult{}, icmplib.TraceEvent{}, icmplib.TracerouteOptions{},
		&icmplib.Watch{}, icmplib.WatchEvent{}, icmplib.WatchOptions{}, icmplib.WatchProbing{}, icmplib.WatchTarget{},
	},
	"socket": {socket.Config{}, socket.Counters{}, &socket.ICMPv4{}, &socket.ICMPv6{}, socket.OpError{}, socket.PermissionError{}},
	"icmp": {
		icmp.Error{}, icmp.ExtendedEcho{}, icmp.Extensions{}, icmp.FieldError{}, icmp.InterfaceInfo{}, icmp.MPLSLabel{}, icmp.Message{},
		icmp.Object{}, icmp.Quote{}, icmp.Reply{}, icmp.Request{}, icmp.Timestamp{},
	},
}

// No method of a zero value fails at nil: it says what is wrong, or does without.
func TestNoMethodOfAZeroValueFailsAtNil(t *testing.T) {
	for path, values := range zeroValues {
		for _, zero := range values {
			typ := reflect.TypeOf(zero)
			if typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			for i := range reflect.PointerTo(typ).NumMethod() {
				method := reflect.PointerTo(typ).Method(i)
				t.Run(path+"/"+typ.Name()+"."+method.Name, func(t *testing.T) {
					if failure := callZero(t.Context(), reflect.New(typ).Method(i)); failure != "" {
						t.Error(failure)
					}
				})
			}
		}
	}
}

// callZero calls a method with plain arguments, and loops over what it returns. It
// returns how that failed at nil.
func callZero(ctx context.Context, method reflect.Value) (failure string) {
	defer func() {
		if r := recover(); r != nil {
			if err, ok := r.(runtime.Error); ok {
				failure = fmt.Sprint("it panics: ", err)
			}
		}
	}()
	typ := method.Type()
	var args []reflect.Value
	for i := range typ.NumIn() {
		if i == typ.NumIn()-1 && typ.IsVariadic() {
			break
		}
		args = append(args, plainValue(ctx, typ.In(i)))
	}
	for _, result := range method.Call(args) {
		if result.Kind() == reflect.Func && !result.IsNil() && result.Type().NumIn() == 1 {
			result.Call([]reflect.Value{plainValue(ctx, result.Type().In(0))})
		}
	}
	return ""
}

// plainValue is an argument that is nothing out of the ordinary.
func plainValue(ctx context.Context, typ reflect.Type) reflect.Value {
	switch {
	case typ == reflect.TypeFor[context.Context]():
		return reflect.ValueOf(ctx)
	case typ == reflect.TypeFor[netip.Addr]():
		return reflect.ValueOf(netip.MustParseAddr("127.0.0.1"))
	case typ.Kind() == reflect.String:
		return reflect.ValueOf("127.0.0.1").Convert(typ)
	case typ.Kind() == reflect.Func:
		return reflect.MakeFunc(typ, func([]reflect.Value) (zeros []reflect.Value) {
			for i := range typ.NumOut() {
				zeros = append(zeros, reflect.Zero(typ.Out(i)))
			}
			return zeros
		})
	case typ.Kind() == reflect.Pointer:
		return reflect.New(typ.Elem())
	case typ.Kind() == reflect.Slice:
		return reflect.MakeSlice(typ, 1, 1)
	case typ.Kind() == reflect.Interface && reflect.TypeFor[*discard]().Implements(typ):
		return reflect.ValueOf(&discard{})
	}
	return reflect.Zero(typ)
}

// discard is a writer.
type discard struct{}

func (*discard) Write(b []byte) (int, error) { return len(b), nil }

// All structures stand in zeroValues.
func TestAllZeroValuesAreTried(t *testing.T) {
	for _, p := range sourcePackages(t) {
		values, ok := zeroValues[p.path]
		if !ok {
			continue
		}
		var tried []string
		for _, v := range values {
			typ := reflect.TypeOf(v)
			if typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			tried = append(tried, typ.Name())
		}
		for _, typ := range p.doc.Types {
			if isStruct(typ) && !slices.Contains(tried, typ.Name) {
				t.Errorf("%s.%s is missing in zeroValues", p.path, typ.Name)
			}
		}
	}
}

// isStruct reports whether a type is a structure of its own.
func isStruct(typ *doc.Type) bool {
	for _, spec := range typ.Decl.Specs {
		if spec, ok := spec.(*ast.TypeSpec); ok && spec.Name.Name == typ.Name {
			_, ok := spec.Type.(*ast.StructType)
			return ok
		}
	}
	return false
}
