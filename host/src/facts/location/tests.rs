//! Prefixes against places that try to get round them, files behind links, and a store over real sockets.

use std::time::Duration;

use tokio::time::Instant;

use super::{LocationOptions, Locations, Place, S3Options};
use crate::Lookup;
use crate::facts::loopback::{Loopback, Reply, dead, folder, recorded};
use crate::facts::{Answered, Live, LiveOptions};

const SAVEPOINT: &str = "savepoint-metadata/v2.3-drain-canonical._metadata";

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn locations(prefixes: &[&str]) -> Locations {
    let prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
    Locations::new(LocationOptions::new(prefixes)).unwrap()
}

fn live(options: LocationOptions) -> Live {
    Live::new(LiveOptions { locations: Some(options), ..LiveOptions::default() }).unwrap()
}

async fn ask(live: &Live, at: &str) -> Answered {
    live.answer(&Lookup::Location(at.to_owned()), soon()).await
}

#[track_caller]
fn unavailable(answer: Answered) -> String {
    match answer {
        Answered::Unavailable(why) => why,
        answer => panic!("{answer:?}"),
    }
}

#[test]
fn places_are_read_strictly() {
    let read = |text: &str| Place::parse(text).map(|place| place.metadata().to_string());
    for (text, place) in [
        ("s3://b/a/sp-1", "s3://b/a/sp-1/_metadata"),
        ("s3a://b/a/sp-1/", "s3://b/a/sp-1/_metadata"),
        ("s3p://b/a/_metadata", "s3://b/a/_metadata"),
        ("gs://b/sp:1=2", "gs://b/sp:1=2/_metadata"),
        ("oss://b/sp", "oss://b/sp/_metadata"),
        ("abfss://c@acc.dfs.core.windows.net/sp", "wasbs://c@acc.blob.core.windows.net/sp/_metadata"),
        ("wasb://c@acc.blob.core.windows.net/sp", "wasbs://c@acc.blob.core.windows.net/sp/_metadata"),
        ("file:///data/sp", "file:///data/sp/_metadata"),
        ("file:/data/sp", "file:///data/sp/_metadata"),
        ("/data/sp", "file:///data/sp/_metadata"),
        ("/data/a:b", "file:///data/a:b/_metadata"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(place), "{text}");
    }
    for text in [
        "s3://b/../x",
        "s3://b/a/./x",
        "s3://b/a//x",
        "s3://b//",
        "s3://b/a%2f..%2fx",
        "s3://b/%2e%2e/x",
        "s3://b/a\\..\\x",
        "s3://b/a?x",
        "s3://b/a#x",
        "s3://b/a\nx",
        "s3://user@b/a",
        "s3://user:pw@b/a",
        "s3://b:9000/a",
        "s3:///a",
        "s3:/b/a",
        "s3:b/a",
        "S3://b/a",
        "s3://b /a",
        "s3://../a",
        "s3://b..c/a",
        "http://169.254.169.254/latest",
        "https://oss/bucket/a",
        "hdfs://nn/a",
        "file://host/a",
        "file://localhost/a",
        "file:a",
        "a/b",
        "",
        "/a/../b",
        "file:///a/../b",
        "abfss://acc.dfs.core.windows.net/a",
        "abfss://c@evil.example/a",
        "abfss://c@acc.dfs.evil.example/a",
        "abfss://c@acc.dfs.core.windows.net:8080/a",
        "abfss://c@x@acc.dfs.core.windows.net/a",
        "abfss://@acc.dfs.core.windows.net/a",
    ] {
        assert!(read(text).is_err(), "{text} {:?}", read(text));
    }
    assert!(Place::parse(&format!("s3://b/{}", "a".repeat(3000))).is_err());
}

#[test]
fn a_prefix_admits_what_is_below_it() {
    let locations = locations(&["s3://b/team/", "file:///data/savepoints"]);
    for at in ["s3://b/team", "s3a://b/team/x", "s3p://b/team/x/y", "/data/savepoints/x", "file:/data/savepoints"] {
        assert!(locations.place(at).is_ok(), "{at}");
    }
    for at in [
        "s3://b/team-b/x",
        "s3://b/tea",
        "s3://b/",
        "s3://c/team/x",
        "s3://b/Team/x",
        "gs://b/team/x",
        "/data/savepoints-2/x",
        "/data",
        "/s3/b/team/x",
        "s3://b/team/../other",
    ] {
        assert!(locations.place(at).unwrap_err().starts_with("not looked up"), "{at}");
    }
}

#[test]
fn prefixes_that_cannot_work_are_refused() {
    for prefix in ["file:///", "/", "hdfs://nn/a", "s3://b/../a", "b/a", "s3://b/a*?", ""] {
        let error = Locations::new(LocationOptions::new(vec![prefix.to_owned()])).unwrap_err().to_string();
        assert!(error.contains(&format!("`{prefix}`")), "{error}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_read_but_not_through_links_that_lead_out() {
    use std::os::unix::fs::symlink;

    let (inside, outside) = (folder(), folder());
    let prefix = inside.path().join("savepoints");
    let make = |folder: &std::path::Path, content: &[u8]| {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("_metadata"), content).unwrap();
    };
    make(&prefix.join("sp-1"), &recorded(SAVEPOINT));
    make(&prefix.join("large"), &vec![0; 2048 << 10]);
    make(&outside.path().join("sp-2"), b"secret");
    std::fs::create_dir_all(prefix.join("empty")).unwrap();
    std::fs::create_dir_all(prefix.join("folder/_metadata")).unwrap();
    symlink(outside.path(), prefix.join("out")).unwrap();
    symlink(outside.path().join("sp-2"), prefix.join("sp-2")).unwrap();
    std::fs::create_dir_all(prefix.join("sp-3")).unwrap();
    symlink(outside.path().join("sp-2/_metadata"), prefix.join("sp-3/_metadata")).unwrap();
    symlink("../../../../../../etc", prefix.join("etc")).unwrap();
    symlink("nowhere", prefix.join("dangling")).unwrap();
    std::fs::create_dir_all(prefix.join("sp-4")).unwrap();
    symlink("nowhere", prefix.join("sp-4/_metadata")).unwrap();
    symlink("sp-1", prefix.join("latest")).unwrap();
    // The prefix itself may be a link: whoever set the gate up chose it.
    let linked = inside.path().join("linked");
    symlink(&prefix, &linked).unwrap();

    let prefixes = vec![format!("file://{}", prefix.display()), linked.display().to_string()];
    let live = live(LocationOptions { most: 1024 << 10, ..LocationOptions::new(prefixes) });
    let at = |name: &str| format!("{}/{name}", prefix.display());
    let found = Answered::Found(recorded(SAVEPOINT));
    assert_eq!(ask(&live, &at("sp-1")).await, found);
    assert_eq!(ask(&live, &format!("file:{}", at("sp-1/_metadata"))).await, found);
    assert_eq!(ask(&live, &at("latest")).await, found);
    assert_eq!(ask(&live, &format!("{}/sp-1", linked.display())).await, found);
    for absent in ["none", "empty", "none/deeper"] {
        assert_eq!(ask(&live, &at(absent)).await, Answered::Absent, "{absent}");
    }
    for (name, why) in [
        ("out/sp-2", "leads out"),
        ("out/none", "leads out"),
        ("sp-2", "leads out"),
        ("sp-3", "leads out"),
        ("etc/passwd", "leads out"),
        ("etc/none/none", "leads out"),
        ("dangling", "cannot be read"),
        ("sp-4", "leads nowhere"),
        ("large", "more than 1048576 bytes"),
        ("folder", "no file"),
        ("sp-1/_metadata/x", "cannot be read"),
        ("../outside", "dot segment"),
    ] {
        let said = unavailable(ask(&live, &at(name)).await);
        assert!(said.contains(why), "{name}: {said}");
    }
    let gone = vec![format!("{}/unmounted", inside.path().display())];
    let live = self::live(LocationOptions::new(gone));
    let said = unavailable(ask(&live, &format!("{}/unmounted/sp", inside.path().display())).await);
    assert!(said.contains("--savepoint-prefix"), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_does_not_hold_anybody_up() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("sp")).unwrap();
    let pipe = folder.path().join("sp/_metadata");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let live = live(LocationOptions::new(vec![folder.path().display().to_string()]));
    assert!(unavailable(ask(&live, &format!("{}/sp", folder.path().display())).await).contains("no file"));
}

fn s3(address: &str) -> Live {
    let s3 = S3Options {
        endpoint: Some(address.to_owned()),
        region: Some("eu-central-1".to_owned()),
        access_key: Some(("AK".to_owned(), "s3cr3t".to_owned())),
    };
    assert!(!format!("{s3:?}").contains("s3cr3t"));
    let prefixes = vec!["s3://bucket/flink".to_owned()];
    live(LocationOptions { most: 64 << 10, s3, ..LocationOptions::new(prefixes) })
}

fn xml(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>")
}

#[tokio::test]
async fn a_store_is_asked_once_and_signed() {
    let server = Loopback::start(|target, head| match target {
        "/bucket/flink/sp%201/_metadata" if head.contains("AWS4-HMAC-SHA256 Credential=AK/") => {
            Reply::Whole(200, "", recorded(SAVEPOINT))
        }
        "/bucket/flink/empty/_metadata" => Reply::Whole(200, "", Vec::new()),
        _ => Reply::error(404, xml("NoSuchKey")),
    })
    .await;
    let live = s3(&server.address);
    assert_eq!(ask(&live, "s3a://bucket/flink/sp 1").await, Answered::Found(recorded(SAVEPOINT)));
    assert_eq!(ask(&live, "s3://bucket/flink/sp 1/").await, Answered::Found(recorded(SAVEPOINT)));
    assert_eq!(server.targets(), ["/bucket/flink/sp%201/_metadata"]);
    assert_eq!(ask(&live, "s3://bucket/flink/none").await, Answered::Absent);
    assert_eq!(ask(&live, "s3://bucket/flink/empty").await, Answered::Found(Vec::new()));
    assert!(unavailable(ask(&live, "s3://other/flink/sp 1").await).contains("--savepoint-prefix"));
}

#[tokio::test]
async fn whatever_a_store_does_is_bounded() {
    let other = Loopback::start(|_, _| Reply::Whole(200, "", recorded(SAVEPOINT))).await;
    let location: &'static str = format!("location: {}/x\r\n", other.address).leak();
    let server = Loopback::start(move |target, _| match target.split('/').nth(3).unwrap_or_default() {
        "moved" => Reply::Whole(307, location, Vec::new()),
        "bucket" => Reply::error(404, xml("NoSuchBucket")),
        "page" => Reply::error(404, "<html>not here</html>"),
        "denied" => Reply::error(403, xml("AccessDenied")),
        "large" => Reply::Whole(200, "", vec![0; (64 << 10) + 1]),
        "endless" => Reply::EndlessBody(200),
        "endless-error" => Reply::EndlessBody(404),
        _ => Reply::error(503, xml("SlowDown")),
    })
    .await;
    let live = s3(&server.address);
    for (name, why) in [
        ("moved", "is this its address"),
        ("bucket", "error: NoSuchBucket m"),
        ("page", "is this its address"),
        ("denied", "refuses access"),
        ("large", "more than 65536 bytes"),
        ("endless", "more than 65536 bytes"),
        ("endless-error", "the store gives an error"),
        ("busy", "SlowDown m"),
    ] {
        let said = unavailable(ask(&live, &format!("s3://bucket/flink/{name}")).await);
        assert!(said.contains(why) && !said.contains("s3cr3t"), "{name}: {said}");
    }
    assert!(other.heads().is_empty());
    let busy = server.targets().iter().filter(|target| target.contains("busy")).count();
    assert_eq!(busy, 2, "once more, not again and again");
    let live = s3(&dead().await);
    assert!(unavailable(ask(&live, "s3://bucket/flink/sp").await).contains("no answer"));
}
