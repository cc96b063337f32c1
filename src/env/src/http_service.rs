//! An HTTP service as a value: what the dialer gives out, what pods, gateways and API servers are in this process.
//!
//! Uses `http` and `http-body` types only; adapts to tower so that `kube::Client::new` takes it as it is.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};

/// Any error on the way of a request or a body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request or response body, possibly a stream that does not end.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A body with nothing in it.
pub fn empty() -> Body {
    Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// A body of the given bytes.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// A body is longer than whoever reads it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("body is longer than {limit} bytes")]
pub struct TooLong {
    /// The most that would have been read, in bytes.
    pub limit: usize,
}

/// Reads a body to its end, but no more than `limit` bytes; one that says beforehand that it is longer is not read at all.
///
/// # Errors
/// When the body breaks off; [`TooLong`] when it is longer than `limit`.
pub async fn read_all(mut body: Body, limit: usize) -> Result<Bytes, BoxError> {
    if usize::try_from(body.size_hint().lower()).is_ok_and(|least| least > limit) {
        return Err(TooLong { limit }.into());
    }
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return Err(error),
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if read.len().saturating_add(data.len()) > limit {
            return Err(TooLong { limit }.into());
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

type Call = dyn Fn(Request<Body>) -> BoxFuture<'static, Result<Response<Body>, BoxError>> + Send + Sync;

/// Something that answers HTTP requests. Cheap to clone; every clone is the same service.
#[derive(Clone)]
pub struct HttpService(Arc<Call>);

impl std::fmt::Debug for HttpService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HttpService")
    }
}

impl HttpService {
    /// A service from a function.
    pub fn new<F, A>(answer: F) -> Self
    where
        F: Fn(Request<Body>) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response<Body>, BoxError>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(answer(request))))
    }

    /// Sends one request.
    ///
    /// # Errors
    /// When no answer came; an answer with an error status is `Ok`.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        (self.0)(request).await
    }
}

impl<B> tower::Service<Request<B>> for HttpService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        (self.0)(request.map(|body| body.map_err(Into::into).boxed_unsync()))
    }
}
