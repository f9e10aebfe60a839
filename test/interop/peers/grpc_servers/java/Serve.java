import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A gRPC server of grpc-java for otelpipe's client; {@code grpc_servers.ts} says what its methods do. */
public final class Serve {
  /** Messages as they are. */
  private static final MethodDescriptor.Marshaller<byte[]> RAW =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] message) {
          return new ByteArrayInputStream(message);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        }
      };

  private static final HandlerRegistry METHODS =
      new HandlerRegistry() {
        @Override
        public ServerMethodDefinition<?, ?> lookupMethod(String path, String authority) {
          var method = path.substring(path.lastIndexOf('/') + 1);
          var descriptor =
              MethodDescriptor.<byte[], byte[]>newBuilder(RAW, RAW)
                  .setType(MethodDescriptor.MethodType.UNARY)
                  .setFullMethodName(path)
                  .build();
          return ServerMethodDefinition.create(descriptor, handler(method));
        }
      };

  private static ServerCallHandler<byte[], byte[]> handler(String method) {
    if (method.equals("Fail")) {
      return (call, headers) -> {
        call.close(Status.RESOURCE_EXHAUSTED.withDescription("zażółć 100%"), new Metadata());
        return new ServerCall.Listener<byte[]>() {};
      };
    }
    return ServerCalls.asyncUnaryCall((message, answer) -> handle(method, message, answer));
  }

  private static void handle(String method, byte[] message, StreamObserver<byte[]> answer) {
    if (method.equals("Wait")) return;
    answer.onNext(method.equals("Digest") ? digest(message) : message);
    answer.onCompleted();
  }

  private static byte[] digest(byte[] message) {
    try {
      var hash = MessageDigest.getInstance("SHA-256").digest(message);
      return HexFormat.of().formatHex(hash).getBytes(StandardCharsets.US_ASCII);
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error);
    }
  }

  public static void main(String[] words) throws Exception {
    var flags = new Flags(Arrays.asList(words));
    var server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .fallbackHandlerRegistry(METHODS)
            .maxInboundMessageSize(Integer.MAX_VALUE);
    if (flags.get("--cert") != null) {
      var context = GrpcSslContexts.forServer(new File(flags.get("--cert")), new File(flags.get("--key")));
      var ca = flags.get("--client-ca");
      if (ca != null) context.trustManager(new File(ca)).clientAuth(ClientAuth.REQUIRE);
      server.sslContext(context.build());
    }
    var age = flags.get("--max-age-ms");
    if (age != null) {
      server.maxConnectionAge(Long.parseLong(age), TimeUnit.MILLISECONDS).maxConnectionAgeGrace(1, TimeUnit.MINUTES);
    }
    var running = server.build().start();
    System.out.println("listening " + running.getPort());
    running.awaitTermination();
  }

  private record Flags(List<String> words) {
    String get(String name) {
      var place = words.indexOf(name);
      return place < 0 ? null : words.get(place + 1);
    }
  }
}
