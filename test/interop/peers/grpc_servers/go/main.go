// A gRPC server of grpc-go for otelpipe's client; `grpc_servers.ts` says what its methods do.
package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// raw leaves messages as they are.
type raw struct{}

func (raw) Name() string                          { return "raw" }
func (raw) Marshal(message any) ([]byte, error)   { return *message.(*[]byte), nil }
func (raw) Unmarshal(bytes []byte, to any) error { *to.(*[]byte) = append([]byte(nil), bytes...); return nil }

// zstandard is not among the codings of grpc-go.
type zstandard struct{}

func (zstandard) Name() string { return "zstd" }
func (zstandard) Compress(to io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(to)
}
func (zstandard) Decompress(from io.Reader) (io.Reader, error) { return zstd.NewReader(from) }

func handle(_ any, stream grpc.ServerStream) error {
	path, _ := grpc.MethodFromServerStream(stream)
	method := path[strings.LastIndexByte(path, '/')+1:]
	if method == "Fail" {
		return status.Error(codes.ResourceExhausted, "zażółć 100%")
	}
	var message []byte
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	switch method {
	case "Echo":
	case "Digest":
		message = fmt.Appendf(nil, "%x", sha256.Sum256(message))
	case "Wait":
		<-stream.Context().Done()
		return stream.Context().Err()
	default:
		return status.Error(codes.Unimplemented, method)
	}
	return stream.SendMsg(&message)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	cert := flag.String("cert", "", "file of the certificate")
	key := flag.String("key", "", "file of its key")
	clientCa := flag.String("client-ca", "", "file of the CA that clients must have")
	maxAge := flag.Int("max-age-ms", 0, "when a connection is sent away")
	flag.Parse()
	encoding.RegisterCompressor(zstandard{})
	options := []grpc.ServerOption{
		grpc.ForceServerCodec(raw{}),
		grpc.UnknownServiceHandler(handle),
		grpc.MaxRecvMsgSize(1 << 30),
	}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		check(err)
		config := &tls.Config{Certificates: []tls.Certificate{pair}}
		if *clientCa != "" {
			text, err := os.ReadFile(*clientCa)
			check(err)
			config.ClientCAs = x509.NewCertPool()
			config.ClientCAs.AppendCertsFromPEM(text)
			config.ClientAuth = tls.RequireAndVerifyClientCert
		}
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	if *maxAge > 0 {
		age := time.Duration(*maxAge) * time.Millisecond
		options = append(options, grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: age, MaxConnectionAgeGrace: time.Minute}))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	check(grpc.NewServer(options...).Serve(listener))
}
