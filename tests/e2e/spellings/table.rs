//! The odd spellings: those of DOMAIN section 8 and `captures/flink-rest/*-edge`, and what confuses one HTTP parser and not
//! another. `{j}` is the id of a running job, `{J}` the same in capitals, `{jar}` an uploaded jar, `{sp}` the savepoint of
//! a drained job, `{SP}` the same percent-encoded, `{n}` the length of what follows the head.

/// One request, byte for byte.
pub struct Spelling {
    /// What is odd about it.
    pub name: &'static str,
    /// The bytes, with their placeholders.
    bytes: Vec<u8>,
}

/// What the placeholders stand for.
#[derive(Clone, Debug)]
pub struct Names {
    /// A running job.
    pub job: String,
    /// An uploaded jar.
    pub jar: String,
    /// The folder of a drained savepoint, without a scheme.
    pub savepoint: String,
}

impl Spelling {
    /// The request, for these.
    pub fn with(&self, names: &Names) -> Vec<u8> {
        let encoded = format!("file:{}", names.savepoint).replace(':', "%3A").replace('/', "%2F");
        let mut bytes = self.bytes.clone();
        for (place, value) in [
            ("{j}", names.job.as_str()),
            ("{J}", &names.job.to_ascii_uppercase()),
            ("{jar}", &names.jar),
            ("{sp}", &names.savepoint),
            ("{SP}", &encoded),
        ] {
            bytes = replace(&bytes, place.as_bytes(), value.as_bytes());
        }
        let body = find(&bytes, b"\r\n\r\n").map_or(0, |end| bytes.len() - end - 4);
        replace(&bytes, b"{n}", body.to_string().as_bytes())
    }

    /// Whether it restores rather than stops.
    pub fn restores(&self) -> bool {
        find(&self.bytes, b"{jar}").is_some()
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|piece| piece == what)
}

fn replace(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let (mut rest, mut out) = (bytes, Vec::with_capacity(bytes.len()));
    while let Some(at) = find(rest, what) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend_from_slice(with);
        rest = rest.get(at + what.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// A stop with this body.
fn body(name: &'static str, body: &[u8]) -> Spelling {
    request(name, "POST /jobs/{j}/stop HTTP/1.1\r\nHost: flink\r\nContent-Type: application/json", body)
}

/// A drain at this target.
fn path(name: &'static str, target: &str) -> Spelling {
    request(name, &format!("POST {target} HTTP/1.1\r\nHost: flink"), br#"{"drain":true}"#)
}

/// A drain with these lines in its head.
fn lines(name: &'static str, lines: &str) -> Spelling {
    request(name, &format!("POST /jobs/{{j}}/stop HTTP/1.1\r\nHost: flink\r\n{lines}"), br#"{"drain":true}"#)
}

/// Any method and target, without a body.
fn bare(name: &'static str, line: &str) -> Spelling {
    whole(name, format!("{line} HTTP/1.1\r\nHost: flink\r\nConnection: close\r\n\r\n").as_bytes())
}

/// A jar run.
fn run(name: &'static str, query: &str, body: &str) -> Spelling {
    request(name, &format!("POST /jars/{{jar}}/run{query} HTTP/1.1\r\nHost: flink"), body.as_bytes())
}

/// A head without its end, framed by its length.
fn request(name: &'static str, head: &str, body: &[u8]) -> Spelling {
    whole(name, &[head.as_bytes(), b"\r\nContent-Length: {n}\r\nConnection: close\r\n\r\n", body].concat())
}

fn whole(name: &'static str, bytes: &[u8]) -> Spelling {
    Spelling { name, bytes: bytes.to_vec() }
}

fn wide(unit: impl Fn(u16) -> Vec<u8>, text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

/// All of them.
pub fn table() -> Vec<Spelling> {
    let drain = r#"{"drain":true}"#;
    let mut table = vec![
        // Bodies.
        body("body: drain", drain.as_bytes()),
        body("body: text true", br#"{"drain":"true"}"#),
        body("body: text TRUE", br#"{"drain":"TRUE"}"#),
        body("body: text True", br#"{"drain":"True"}"#),
        body("body: padded text", br#"{"drain":" true "}"#),
        body("body: number 1", br#"{"drain":1}"#),
        body("body: number 2", br#"{"drain":2}"#),
        body("body: number -1", br#"{"drain":-1}"#),
        body("body: number 0.0", br#"{"drain":0.0}"#),
        body("body: null value", br#"{"drain":null}"#),
        body("body: empty text", br#"{"drain":""}"#),
        body("body: twice, false then true", br#"{"drain":false,"drain":true}"#),
        body("body: twice, true then false", br#"{"drain":true,"drain":false}"#),
        body("body: escaped key", br#"{"dr\u0061in":true}"#),
        body("body: key in capitals", br#"{"Drain":true}"#),
        body("body: text behind", br#"{"drain":true} xyz"#),
        body("body: document behind", br#"{"drain":false}{"drain":true}"#),
        body("body: comment", br#"{/* */"drain":true}"#),
        body("body: UTF-8 with mark", b"\xef\xbb\xbf{\"drain\":true}"),
        body("body: UTF-16LE", &wide(|unit| unit.to_le_bytes().to_vec(), drain)),
        body("body: UTF-16BE with mark", &[b"\xfe\xff".to_vec(), wide(|unit| unit.to_be_bytes().to_vec(), drain)].concat()),
        body("body: UTF-32BE", &wide(|unit| u32::from(unit).to_be_bytes().to_vec(), drain)),
        body("body: null", b"null"),
        body("body: array", br#"[{"drain":true}]"#),
        body("body: form data", b"drain=true"),
        body("body: unknown field", br#"{"drain":true,"mode":"x"}"#),
        body("body: empty", b""),
        body("body: the other spelling of the directory", br#"{"drain":false,"target-directory":"file:///tmp/x"}"#),
        // Paths.
        path("path: /v1", "/v1/jobs/{j}/stop"),
        path("path: /v2", "/v2/jobs/{j}/stop"),
        path("path: slash behind", "/jobs/{j}/stop/"),
        path("path: two slashes behind", "/jobs/{j}/stop//"),
        path("path: two slashes before", "//jobs/{j}/stop"),
        path("path: two slashes within", "/jobs//{j}//stop"),
        path("path: dot", "/jobs/{j}/./stop"),
        path("path: two dots", "/jars/../jobs/{j}/stop"),
        path("path: two dots, encoded", "/jars/%2e%2e/jobs/{j}/stop"),
        path("path: a letter encoded", "/jobs/{j}/%73top"),
        path("path: a slash encoded", "/jobs/{j}%2fstop"),
        path("path: a slash encoded twice", "/jobs/{j}%252fstop"),
        path("path: a backslash", "/jobs\\{j}\\stop"),
        path("path: capitals", "/JOBS/{j}/stop"),
        path("path: job id in capitals", "/jobs/{J}/stop"),
        path("path: a character behind the job id", "/jobs/{j}Z/stop"),
        path("path: an encoded blank behind the job id", "/jobs/{j}%20/stop"),
        path("path: parameter", "/jobs/{j}/stop;x=1"),
        path("path: parameter within", "/jobs;x=1/{j}/stop"),
        path("path: fragment", "/jobs/{j}/stop#x"),
        path("path: question mark encoded", "/jobs/{j}/stop%3fx"),
        path("path: NUL encoded", "/jobs/{j}/stop%00"),
        path("path: line feed encoded", "/jobs/{j}/stop%0a"),
        path("path: overlong UTF-8", "/jobs/{j}/s%c1%b4op"),
        path("path: absolute form", "http://flink/jobs/{j}/stop"),
        path("path: absolute form of another host", "http://elsewhere:1/jobs/{j}/stop"),
        path("path: query", "/jobs/{j}/stop?drain=false"),
        path("path: as an upload", "/jars/upload/../../jobs/{j}/stop"),
        path("path: no slash", "jobs/{j}/stop"),
        path("path: as the gate's own", "/authz/flink-rest/jobs/{j}/stop"),
        // Methods.
        bare("method: HEAD", "HEAD /jobs/{j}/yarn-cancel"),
        bare("method: OPTIONS", "OPTIONS /jobs/{j}/stop"),
        bare("method: DELETE", "DELETE /jobs/{j}"),
        bare("method: lower case", "patch /jobs/{j}?mode=cancel"),
        bare("method: unheard of", "STOP /jobs/{j}/stop"),
        bare("method: TRACE", "TRACE /jobs/{j}/yarn-cancel"),
        // Cancels.
        bare("cancel: without a mode", "PATCH /jobs/{j}"),
        bare("cancel: mode in capitals", "PATCH /jobs/{j}?mode=CANCEL"),
        bare("cancel: mode twice", "PATCH /jobs/{j}?mode=stop&mode=cancel"),
        bare("cancel: mode twice, the other first", "PATCH /jobs/{j}?mode=cancel&mode=stop"),
        bare("cancel: mode encoded", "PATCH /jobs/{j}?%6dode=c%61ncel"),
        bare("cancel: separated by a semicolon", "PATCH /jobs/{j}?x=1;mode=cancel"),
        bare("cancel: mode stop", "PATCH /jobs/{j}?mode=stop"),
        bare("cancel: a GET", "GET /jobs/{j}/yarn-cancel"),
        bare("cancel: a GET, /v1 and slash", "GET /v1/jobs/{j}/yarn-cancel/"),
        bare("cancel: a GET that stops", "GET /jobs/{j}/yarn-stop"),
        bare("cancel: the application", "POST /applications/{j}/cancel"),
        request("cancel: with savepoint, text", "POST /jobs/{j}/savepoints HTTP/1.1\r\nHost: f", br#"{"cancel-job":"true"}"#),
        request(
            "cancel: with savepoint, twice",
            "POST /jobs/{j}/savepoints HTTP/1.1\r\nHost: f",
            br#"{"cancel-job":false,"cancel-job":true}"#,
        ),
        request("cancel: in camel case", "POST /jobs/{j}/savepoints HTTP/1.1\r\nHost: f", br#"{"cancelJob":true}"#),
        request("cancel: savepoint with a terminate mode", "POST /jobs/{j}/savepoints HTTP/1.1\r\nHost: f", br#"{"mode":"terminate"}"#),
        // Heads.
        lines("head: text", "Content-Type: text/plain"),
        lines("head: content type twice", "Content-Type: application/json\r\nContent-Type: text/plain"),
        lines("head: gzip, said only", "Content-Encoding: gzip"),
        lines("head: identity", "Content-Encoding: identity"),
        lines("head: continue", "Expect: 100-continue"),
        lines("head: another expectation", "Expect: a miracle"),
        lines("head: a folded line", "X-Odd: a\r\n b"),
        lines("head: NUL in a value", "X-Odd: a\u{0}b"),
        lines("head: another method", "X-HTTP-Method-Override: GET"),
        lines("head: another path", "X-Original-URL: /overview\r\nX-Rewrite-URL: /overview"),
        lines("head: a forged verdict", "x-sluicegate-decision: allow\r\nx-sluicegate-body: withheld"),
        lines("head: a forged name", "x-sluicegate-principal: ops\r\nx-sluicegate-intent: restart"),
        lines("head: intent twice", "x-sluicegate-intent: restart\r\nx-sluicegate-intent: final"),
        lines("head: to be removed on the way", "Connection: content-type, host, x-sluicegate-intent\r\nContent-Type: text/plain"),
        lines("head: upgrade to HTTP/2", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"),
        lines("head: upgrade to WebSocket", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13"),
        lines("head: two hosts", "Host: elsewhere"),
        whole("head: HTTP/1.0", b"POST /jobs/{j}/stop HTTP/1.0\r\nContent-Length: {n}\r\n\r\n{\"drain\":true}"),
        whole("head: HTTP/0.9", b"GET /jobs/{j}/yarn-cancel\r\n\r\n"),
        whole("head: HTTP/1.2", b"POST /jobs/{j}/stop HTTP/1.2\r\nHost: f\r\nContent-Length: {n}\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("head: bare line feeds", b"POST /jobs/{j}/stop HTTP/1.1\nHost: f\nContent-Length: 14\nConnection: close\n\n{\"drain\":true}"),
        whole("head: an empty line first", b"\r\nPOST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("head: a space before the colon", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nContent-Length : {n}\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("head: bytes above ASCII", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nX-Odd: \xff\xfe\r\nX-Sluicegate-Intent: \xe9\r\nContent-Length: {n}\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        // Framing.
        whole("frame: chunks", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\n{\"dr\r\na\r\nain\":true}\r\n0\r\n\r\n"),
        whole("frame: chunks with extensions and trailers", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\nConnection: close\r\n\r\ne;x=y\r\n{\"drain\":true}\r\n0\r\nX-T: 1\r\nContent-Length: 3\r\n\r\n"),
        whole("frame: chunk size with zeros", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n00000000000000000000e\r\n{\"drain\":true}\r\n0\r\n\r\n"),
        whole("frame: both, length first", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nContent-Length: {n}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\ne\r\n{\"drain\":true}\r\n0\r\n\r\n"),
        whole("frame: both, chunks first", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nTransfer-Encoding: chunked\r\nContent-Length: {n}\r\nConnection: close\r\n\r\ne\r\n{\"drain\":true}\r\n0\r\n\r\n"),
        whole("frame: length twice, the same", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nContent-Length: 14\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("frame: length twice, different", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nContent-Length: 2\r\nContent-Length: 16\r\nConnection: close\r\n\r\n{}{\"drain\":true}"),
        whole("frame: lengths in a list", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nContent-Length: 14, 14\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("frame: length with a sign", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nContent-Length: +14\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("frame: other coding", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\ne\r\n{\"drain\":true}\r\n0\r\n\r\n"),
        whole("frame: unknown coding and a length", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nTransfer-Encoding: xchunked\r\nContent-Length: {n}\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("frame: neither", b"POST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("frame: a second request in the body (length, chunks)", b"POST /jobs/overview HTTP/1.1\r\nHost: f\r\nContent-Length: {n}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nPATCH /jobs/{j}?mode=cancel HTTP/1.1\r\nHost: f\r\nConnection: close\r\n\r\n"),
        whole("frame: a second request in the body (chunks with a tab)", b"GET /overview HTTP/1.1\r\nHost: f\r\nTransfer-Encoding:\tchunked\r\nContent-Length: {n}\r\n\r\n0\r\n\r\nPATCH /jobs/{j}?mode=cancel HTTP/1.1\r\nHost: f\r\nConnection: close\r\n\r\n"),
        whole("frame: a second request in a folded coding", b"GET /overview HTTP/1.1\r\nHost: f\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: {n}\r\n\r\n0\r\n\r\nPATCH /jobs/{j}?mode=cancel HTTP/1.1\r\nHost: f\r\nConnection: close\r\n\r\n"),
        whole("frame: a second request behind", b"GET /overview HTTP/1.1\r\nHost: f\r\n\r\nPOST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("frame: a second request behind an upgrade", b"GET /overview HTTP/1.1\r\nHost: f\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nPOST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("frame: a second request in an upload", b"POST /jars/upload HTTP/1.1\r\nHost: f\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 0\r\n\r\nPOST /jobs/{j}/stop HTTP/1.1\r\nHost: f\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"drain\":true}"),
        whole("frame: HTTP/2 at once", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
    ];
    // An attribute `request` of a form replaces the body on every route that takes one.
    let form = "--x\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{\"drain\":true}\r\n--x--\r\n";
    for (name, kind) in [
        ("form: plain", "Content-Type: multipart/form-data; boundary=x"),
        ("form: capitals", "CONTENT-TYPE: Multipart/Form-Data; boundary=x"),
        (
            "form: behind another type",
            "Content-Type: application/json\r\nContent-Type: multipart/form-data; boundary=x",
        ),
        (
            "form: before another type",
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Type: application/json",
        ),
        ("form: in a list", "Content-Type: multipart/form-data; boundary=x, application/json"),
        ("form: quoted", "Content-Type: multipart/form-data; boundary=\"x\""),
        ("form: URL-encoded", "Content-Type: application/x-www-form-urlencoded"),
        ("form: mixed", "Content-Type: multipart/mixed; boundary=x"),
    ] {
        table.push(request(name, &format!("POST /jobs/{{j}}/stop HTTP/1.1\r\nHost: f\r\n{kind}"), form.as_bytes()));
    }
    // Restores from a drained savepoint.
    for (name, query, body) in [
        ("restore: body", "", r#"{"savepointPath":"file:{sp}"}"#),
        ("restore: three slashes", "", r#"{"savepointPath":"file://{sp}"}"#),
        ("restore: without a scheme", "", r#"{"savepointPath":"{sp}"}"#),
        ("restore: slash behind", "", r#"{"savepointPath":"file:{sp}/"}"#),
        ("restore: the file itself", "", r#"{"savepointPath":"file:{sp}/_metadata"}"#),
        ("restore: two dots", "", r#"{"savepointPath":"file:{sp}/x/.."}"#),
        ("restore: a dot", "", r#"{"savepointPath":"file:{sp}/."}"#),
        ("restore: backslash", "", r#"{"savepointPath":"file:{sp}\\_metadata"}"#),
        ("restore: two slashes", "", r#"{"savepointPath":"file://///{sp}"}"#),
        ("restore: padded", "", r#"{"savepointPath":" file:{sp} "}"#),
        ("restore: capitals", "", r#"{"SavepointPath":"file:{sp}"}"#),
        ("restore: hyphen", "", r#"{"savepoint-path":"file:{sp}"}"#),
        ("restore: escaped key", "", r#"{"s\u0061vepointPath":"file:{sp}"}"#),
        ("restore: query", "?savepointPath={SP}", "{}"),
        ("restore: query, `=` before the key", "?=savepointPath={SP}", "{}"),
        ("restore: query, `==` before a second key", "?parallelism=1&==savepointPath={SP}", "{}"),
        ("restore: query, key encoded", "?s%61vepointPath={SP}", "{}"),
        ("restore: query, a comma behind", "?savepointPath={SP},", "{}"),
        ("restore: query, an encoded comma behind", "?savepointPath={SP}%2C", "{}"),
        ("restore: query, an empty one behind", "?savepointPath={SP}&savepointPath=", "{}"),
        ("restore: query behind a semicolon", "?parallelism=1;savepointPath={SP}", "{}"),
        ("restore: query, without a body", "?savepointPath={SP}", ""),
        ("restore: body over query", "?savepointPath=file%3A%2F%2F%2Fnone", r#"{"savepointPath":"file:{sp}"}"#),
        ("restore: query under an empty body", "?savepointPath={SP}", r#"{"savepointPath":null}"#),
        ("restore: configuration", "", r#"{"flinkConfiguration":{"execution.state-recovery.path":"file:{sp}"}}"#),
        ("restore: configuration, old key", "", r#"{"flinkConfiguration":{"execution.savepoint.path":"file:{sp}"}}"#),
        (
            "restore: configuration twice",
            "",
            r#"{"flinkConfiguration":{},"flinkConfiguration":{"execution.savepoint.path":"file:{sp}"}}"#,
        ),
    ] {
        table.push(run(name, query, body));
    }
    // Flink drops the body of a request with so long a head, and starts from the query alone.
    let cookie = "a".repeat(9_000);
    let head = format!("POST /jars/{{jar}}/run?savepointPath={{SP}} HTTP/1.1\r\nHost: flink\r\nCookie: {cookie}");
    table.push(request("restore: query under a body, long head", &head, br#"{"savepointPath":"file:/none"}"#));
    let many = format!("?{}savepointPath={{SP}}", "a&".repeat(1_100));
    table.push(run("restore: query behind many parameters", &many, "{}"));
    table
}
