//! A gRPC server of tonic for otelpipe's client; `grpc_servers.ts` says what its methods do.
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use sha2::{Digest, Sha256};
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Messages as they are.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;
    fn encoder(&mut self) -> Raw {
        Raw
    }
    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length)))
    }
}

struct Method(String);

impl UnaryService<Bytes> for Method {
    type Response = Bytes;
    type Future = Later<Result<Response<Bytes>, Status>>;
    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let name = self.0.clone();
        Box::pin(async move {
            let message = request.into_inner();
            match name.as_str() {
                "Echo" => Ok(Response::new(message)),
                "Digest" => Ok(Response::new(Bytes::from(format!("{:x}", Sha256::digest(&message))))),
                "Wait" => {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                    Ok(Response::new(message))
                }
                _ => Err(Status::unimplemented(name)),
            }
        })
    }
}

#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "peer.Echo";
}

impl tower_service::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Later<Result<http::Response<Body>, Infallible>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let name = request.uri().path().rsplit('/').next().unwrap_or("").to_owned();
        Box::pin(async move {
            if name == "Fail" {
                return Ok(Status::resource_exhausted("zażółć 100%").into_http());
            }
            let mut grpc = Grpc::new(Raw)
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Zstd)
                .send_compressed(CompressionEncoding::Zstd)
                .max_decoding_message_size(usize::MAX);
            Ok(grpc.unary(Method(name), request).await)
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().collect();
    let flag = |name: &str| words.iter().position(|word| word == name).map(|at| words[at + 1].clone());
    let file = |name: &str| flag(name).map(|path| std::fs::read(path).expect("a file"));
    let mut server = Server::builder();
    if let (Some(cert), Some(key)) = (file("--cert"), file("--key")) {
        let mut tls = ServerTlsConfig::new().identity(Identity::from_pem(cert, key));
        if let Some(ca) = file("--client-ca") {
            tls = tls.client_ca_root(Certificate::from_pem(ca));
        }
        server = server.tls_config(tls).expect("certificates");
    }
    if let Some(age) = flag("--max-age-ms") {
        server = server.max_connection_age(Duration::from_millis(age.parse().expect("milliseconds")));
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("listening {}", listener.local_addr().expect("an address").port());
    server.add_service(Echo).serve_with_incoming(TcpIncoming::from(listener)).await.expect("to serve");
}
