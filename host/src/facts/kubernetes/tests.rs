//! The cache against an API server over a socket, with the faults of real ones. Every wait has a bound, and what is
//! asserted is what is answered.

mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::server::Server;
use super::feed::Pace;
use super::{Kubernetes, KubernetesError, Options, WatchState};
use crate::facts::{Answered, Live, LiveOptions, Objects};
use crate::{Lookup, ObjectRef};

const DEPLOYMENTS: &str = "flinkdeployments";
const JOBS: &str = "flinksessionjobs";

fn pace() -> Pace {
    Pace {
        watch: Duration::from_secs(3),
        grace: Duration::from_secs(5),
        first: Duration::from_millis(20),
        longest: Duration::from_millis(100),
        steady: Duration::from_millis(500),
        relist: Duration::from_secs(3600),
        not_installed: Duration::from_millis(50),
        refill: Duration::from_millis(20),
        refill_anyway: Duration::from_millis(300),
    }
}

fn watching(server: &Server, options: Options) -> Kubernetes {
    let mut config = kube::Config::new(format!("http://{}", server.address).parse().unwrap());
    config.default_retry = false;
    Kubernetes::start(&kube::Client::try_from(config).unwrap(), options, &pace()).unwrap()
}

async fn synced(server: &Server, options: Options) -> Kubernetes {
    let kubernetes = watching(server, options);
    until("the first sync", || kubernetes.synced().is_ok()).await;
    kubernetes
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A deployment as an API server stored it.
fn recorded() -> Value {
    let recorded = include_str!("../../../../tests/recorded/kubernetes-1.36.ndjson");
    let reviews = recorded.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut updates = reviews.filter(|review| review["request"]["operation"] == "UPDATE");
    updates.next().unwrap()["request"]["object"].take()
}

fn object(kind: &str, spec: impl Into<Value>) -> Value {
    json!({"apiVersion": "flink.apache.org/v1beta1", "kind": kind, "metadata": {}, "spec": spec.into()})
}

fn about(kind: &str, namespace: &str, name: Option<&str>) -> ObjectRef {
    ObjectRef { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.map(str::to_owned) }
}

fn one(kubernetes: &Kubernetes, kind: &str, namespace: &str, name: &str) -> Answered {
    kubernetes.answer(&about(kind, namespace, Some(name)))
}

fn spec(answer: &Answered) -> Option<Value> {
    let Answered::Found(bytes) = answer else { return None };
    Some(serde_json::from_slice::<Value>(bytes).unwrap()["spec"].take())
}

fn why(answer: Answered) -> String {
    match answer {
        Answered::Unavailable(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn follows_lists_in_pages_and_every_event() {
    let server = Server::start().await;
    let deployment = recorded();
    assert!(deployment["metadata"]["managedFields"].is_array());
    server.put(DEPLOYMENTS, "prod", "recorded", deployment.clone());
    for at in 0..300 {
        server.put(
            JOBS,
            if at % 3 == 0 { "prod" } else { "dev" },
            &format!("job-{at:03}"),
            object("FlinkSessionJob", at),
        );
    }
    let kubernetes = synced(&server, Options::default()).await;
    assert_eq!(server.asked(&["flinksessionjobs?", "&limit=128&continue="]), 2, "three pages");
    assert!(server.asked(&["flinksessionjobs?", "watch=true", "allowWatchBookmarks=true"]) <= 1);

    let Answered::Found(bytes) = one(&kubernetes, "FlinkDeployment", "prod", "recorded") else { panic!() };
    let found: Value = serde_json::from_slice(&bytes).unwrap();
    assert!(found["metadata"]["managedFields"].is_null());
    assert_eq!((&found["spec"], &found["status"]), (&deployment["spec"], &deployment["status"]));
    let Answered::Found(bytes) = kubernetes.answer(&about("FlinkSessionJob", "prod", None)) else { panic!() };
    let list: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (&list["apiVersion"], &list["kind"]),
        (&json!("flink.apache.org/v1beta1"), &json!("FlinkSessionJobList"))
    );
    let specs: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| item["spec"].as_i64().unwrap()).collect();
    assert_eq!(specs, (0..100).map(|at| at * 3).collect::<Vec<_>>());
    assert_eq!(one(&kubernetes, "FlinkSessionJob", "prod", "job-001"), Answered::Absent, "it is in another namespace");
    assert_eq!(one(&kubernetes, "FlinkStateSnapshot", "prod", "none"), Answered::Absent);
    let Answered::Found(none) = kubernetes.answer(&about("FlinkStateSnapshot", "prod", None)) else { panic!() };
    assert_eq!(serde_json::from_slice::<Value>(&none).unwrap()["items"], json!([]));
    assert!(why(one(&kubernetes, "Pod", "prod", "a")).contains("`Pod` are not watched"));

    server.put(JOBS, "prod", "new", object("FlinkSessionJob", "new"));
    until("ADDED", || spec(&one(&kubernetes, "FlinkSessionJob", "prod", "new")) == Some(json!("new"))).await;
    server.bookmark(JOBS, "FlinkSessionJob");
    server.put(JOBS, "prod", "new", object("FlinkSessionJob", "changed"));
    until("MODIFIED", || spec(&one(&kubernetes, "FlinkSessionJob", "prod", "new")) == Some(json!("changed"))).await;
    server.delete(JOBS, "prod", "new");
    until("DELETED", || one(&kubernetes, "FlinkSessionJob", "prod", "new") == Answered::Absent).await;
    let snapshot = kubernetes.snapshot();
    let jobs = snapshot.watches.iter().find(|watch| watch.kind == "FlinkSessionJob").unwrap();
    assert_eq!((jobs.state, jobs.objects, jobs.not_held, jobs.lists), (WatchState::Synced, 300, 0, 1));
    assert!(snapshot.used > jobs.bytes && snapshot.used < snapshot.limit);
}

#[tokio::test]
async fn watches_that_end_go_on_where_they_were() {
    let server = Server::start().await;
    let kubernetes = synced(&server, Options::default()).await;
    until("the watch was opened anew", || server.asked(&["flinkdeployments?", "watch=true"]) >= 2).await;
    server.put(DEPLOYMENTS, "prod", "a", object("FlinkDeployment", 1));
    until("the event", || spec(&one(&kubernetes, "FlinkDeployment", "prod", "a")) == Some(json!(1))).await;
    assert_eq!(server.asked(&["flinkdeployments?&limit"]), 1, "nothing was listed again");
    assert!(kubernetes.snapshot().watches.iter().all(|watch| watch.failures == 0));
}

#[tokio::test]
async fn too_old_a_version_leads_to_a_new_list() {
    let mut server = Server::start().await;
    server.put(DEPLOYMENTS, "prod", "gone", object("FlinkDeployment", 1));
    server.put(DEPLOYMENTS, "prod", "stays", object("FlinkDeployment", 1));
    let kubernetes = synced(&server, Options::default()).await;
    server.die().await;
    server.delete(DEPLOYMENTS, "prod", "gone");
    server.put(DEPLOYMENTS, "prod", "stays", object("FlinkDeployment", 2));
    server.compact();
    assert_eq!(spec(&one(&kubernetes, "FlinkDeployment", "prod", "gone")), Some(json!(1)), "nobody could know");
    server.open().await;
    until("the deleted one is gone", || one(&kubernetes, "FlinkDeployment", "prod", "gone") == Answered::Absent).await;
    assert_eq!(spec(&one(&kubernetes, "FlinkDeployment", "prod", "stays")), Some(json!(2)));
    server.put(DEPLOYMENTS, "prod", "stays", object("FlinkDeployment", 3));
    until("the watch goes on", || spec(&one(&kubernetes, "FlinkDeployment", "prod", "stays")) == Some(json!(3))).await;
}

#[tokio::test]
async fn half_an_event_counts_for_nothing() {
    let server = Server::start().await;
    server.put(DEPLOYMENTS, "prod", "a", object("FlinkDeployment", "x".repeat(1000)));
    let kubernetes = synced(&server, Options::default()).await;
    server.set(|state| state.cut = true);
    server.put(DEPLOYMENTS, "prod", "a", object("FlinkDeployment", "y".repeat(100_000)));
    let changed = Some(json!("y".repeat(100_000)));
    until("the whole event", || spec(&one(&kubernetes, "FlinkDeployment", "prod", "a")) == changed).await;
    let failures = kubernetes.snapshot().watches.iter().map(|watch| watch.failures).sum::<u64>();
    assert_eq!((failures, server.asked(&["flinkdeployments?&limit"])), (1, 1));
}

#[tokio::test]
async fn events_that_cannot_be_read_lead_to_a_new_list() {
    let server = Server::start().await;
    let kubernetes = synced(&server, Options::default()).await;
    for raw in
        ["nonsense\n", "{\"type\":\"ADDED\",\"object\":{}}\n", "{\"type\":\"ERROR\",\"object\":{\"code\":500}}\n"]
    {
        let failures = || kubernetes.snapshot().watches[0].failures;
        let before = failures();
        // A connection that the cache has left already may swallow one.
        let send = |state: &mut server::State| state.raw = Some((DEPLOYMENTS.to_owned(), raw.to_owned()));
        until("it was noticed", || {
            server.set(send);
            failures() > before
        })
        .await;
        server.set(|state| state.raw = None);
    }
    server.put(DEPLOYMENTS, "prod", "a", object("FlinkDeployment", 1));
    until("the next event", || spec(&one(&kubernetes, "FlinkDeployment", "prod", "a")) == Some(json!(1))).await;
    until("it works", || kubernetes.snapshot().watches.iter().all(|watch| watch.trouble.is_none())).await;
    assert!(server.asked(&["flinkdeployments?&limit"]) >= 3);
}

#[tokio::test]
async fn one_strange_object_does_not_hide_the_others() {
    let server = Server::start().await;
    let kubernetes = synced(&server, Options::default()).await;
    let depth = 100_000;
    let spec_text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let line = format!(
        "{{\"type\":\"ADDED\",\"object\":{{\"metadata\":{{\"name\":\"deep\",\"namespace\":\"prod\",\"resourceVersion\":\"1\"}},\"spec\":{spec_text}}}}}\n"
    );
    server.set(|state| state.raw = Some((DEPLOYMENTS.to_owned(), line)));
    let found = || matches!(one(&kubernetes, "FlinkDeployment", "prod", "deep"), Answered::Found(_));
    until("the deep one", found).await;
    server.put(DEPLOYMENTS, "prod", "a", object("FlinkDeployment", 1));
    until("the other one", || spec(&one(&kubernetes, "FlinkDeployment", "prod", "a")) == Some(json!(1))).await;
}

#[tokio::test]
async fn who_may_not_read_is_told_so() {
    let server = Server::start().await;
    let message = "flinkdeployments.flink.apache.org is forbidden: User \"gate\" cannot list resource";
    let status = json!({"kind": "Status", "message": message, "reason": "Forbidden", "code": 403}).to_string();
    server.set(|state| {
        state.refused.insert(DEPLOYMENTS.to_owned(), (403, status));
        state.refused.insert(JOBS.to_owned(), (401, "<html>token=secret</html>".to_owned()));
        state.refused.insert("namespaces".to_owned(), (403, "{}".to_owned()));
    });
    let kubernetes = watching(&server, Options::default());
    let told = || {
        let text = kubernetes.synced().unwrap_err();
        text.contains(message) && text.contains("HTTP 401")
    };
    until("the reasons", told).await;
    let text = kubernetes.synced().unwrap_err();
    assert!(text.contains("allow this account `get`, `list` and `watch`") && !text.contains("secret"), "{text}");
    assert!(why(one(&kubernetes, "FlinkDeployment", "prod", "a")).contains(message));
    server.set(|state| {
        state.refused.remove(DEPLOYMENTS);
        state.refused.remove(JOBS);
    });
    until("all is read that must be", || kubernetes.synced().is_ok()).await;
    assert_eq!(one(&kubernetes, "FlinkDeployment", "prod", "a"), Answered::Absent);
    assert!(why(kubernetes.labels("prod")).contains("HTTP 403"));
}

#[tokio::test]
async fn a_kind_that_is_not_installed_has_no_objects() {
    let server = Server::start().await;
    server.set(|state| assert!(state.installed.remove("flinkstatesnapshots")));
    let kubernetes = synced(&server, Options::default()).await;
    assert_eq!(one(&kubernetes, "FlinkStateSnapshot", "prod", "a"), Answered::Absent);
    let state = |kubernetes: &Kubernetes| kubernetes.snapshot().watches[2].state;
    assert_eq!(state(&kubernetes), WatchState::NotInstalled);
    server.set(|state| assert!(state.installed.insert("flinkstatesnapshots".to_owned())));
    server.put("flinkstatesnapshots", "prod", "a", object("FlinkStateSnapshot", 1));
    until("it is installed", || spec(&one(&kubernetes, "FlinkStateSnapshot", "prod", "a")) == Some(json!(1))).await;
    server.set(|state| assert!(state.installed.remove("flinkstatesnapshots")));
    until("it is removed", || state(&kubernetes) == WatchState::NotInstalled).await;
    assert_eq!(one(&kubernetes, "FlinkStateSnapshot", "prod", "a"), Answered::Absent);
}

#[tokio::test]
async fn a_cluster_without_the_operator_is_read() {
    let server = Server::start().await;
    server.set(|state| state.installed.clear());
    let kubernetes = synced(&server, Options::default()).await;
    assert_eq!(one(&kubernetes, "FlinkDeployment", "prod", "a"), Answered::Absent);
}

#[tokio::test]
async fn a_server_of_another_kind_proves_nothing() {
    let server = Server::start().await;
    server.set(|state| state.no_api = true);
    let kubernetes = watching(&server, Options::default());
    until("discovery was tried", || server.asked(&["GET /apis "]) >= 8).await;
    assert!(kubernetes.synced().unwrap_err().contains("is it a Kubernetes API?"));
    assert!(why(one(&kubernetes, "FlinkDeployment", "prod", "a")).contains("the server knows no `/apis`"));
}

#[tokio::test]
async fn what_does_not_fit_is_never_absent() {
    let server = Server::start().await;
    server.put(DEPLOYMENTS, "prod", "a-small", object("FlinkDeployment", "s".repeat(20_000)));
    server.put(DEPLOYMENTS, "prod", "b-large", object("FlinkDeployment", "l".repeat(90_000)));
    let kubernetes = synced(&server, Options { cache_bytes: 100_000, ..Options::default() }).await;
    let large = || one(&kubernetes, "FlinkDeployment", "prod", "b-large");
    let text = why(large());
    assert!(text.contains("does not fit into the cache's budget, raise --kubernetes-cache-bytes"), "{text}");
    assert!(why(kubernetes.answer(&about("FlinkDeployment", "prod", None))).contains("do not fit"));
    assert!(spec(&one(&kubernetes, "FlinkDeployment", "prod", "a-small")).is_some());
    assert_eq!(one(&kubernetes, "FlinkDeployment", "prod", "c"), Answered::Absent);

    server.delete(DEPLOYMENTS, "prod", "a-small");
    until("it fits again", || spec(&large()) == Some(json!("l".repeat(90_000)))).await;
    server.put(DEPLOYMENTS, "prod", "b-large", object("FlinkDeployment", "l".repeat(200_000)));
    until("it grew too large", || matches!(large(), Answered::Unavailable(_))).await;
    server.put(DEPLOYMENTS, "prod", "b-large", object("FlinkDeployment", 1));
    until("it shrank", || spec(&large()) == Some(json!(1))).await;
    assert_eq!(kubernetes.snapshot().watches[0].not_held, 0);
}

#[tokio::test]
async fn thousands_of_objects_are_answered() {
    let server = Server::start().await;
    for at in 0..5000 {
        server.put(JOBS, &format!("ns-{}", at % 10), &format!("job-{at}"), object("FlinkSessionJob", "x".repeat(8000)));
    }
    let kubernetes = synced(&server, Options { list_bytes: 5 << 20, ..Options::default() }).await;
    for at in 0..5000 {
        let found = one(&kubernetes, "FlinkSessionJob", &format!("ns-{}", at % 10), &format!("job-{at}"));
        assert!(matches!(found, Answered::Found(bytes) if bytes.len() > 8000), "{at}");
    }
    let Answered::Found(list) = kubernetes.answer(&about("FlinkSessionJob", "ns-3", None)) else { panic!() };
    assert_eq!(serde_json::from_slice::<Value>(&list).unwrap()["items"].as_array().unwrap().len(), 500);
    let short = synced(&server, Options { list_bytes: 1 << 20, ..Options::default() }).await;
    assert!(why(short.answer(&about("FlinkSessionJob", "ns-3", None))).contains("at most 1048576 are looked at"));
}

#[tokio::test]
async fn answers_outlive_the_server_for_a_while() {
    let mut server = Server::start().await;
    server.put(DEPLOYMENTS, "prod", "a", object("FlinkDeployment", 1));
    let options = Options { stale_after: Duration::from_secs(4), ..Options::default() };
    let kubernetes = synced(&server, options).await;
    server.die().await;
    let answer = || one(&kubernetes, "FlinkDeployment", "prod", "a");
    assert_eq!(spec(&answer()), Some(json!(1)), "just now it was so");
    until("the answer is stale", || matches!(answer(), Answered::Unavailable(_))).await;
    let text = why(answer());
    assert!(text.starts_with("the watch of `FlinkDeployment` is broken for "), "{text}");
    assert!(
        matches!(one(&kubernetes, "FlinkDeployment", "prod", "none"), Answered::Unavailable(_)),
        "not absent either"
    );
    assert_eq!(kubernetes.synced(), Ok(()), "an outage of the API server must not become ours");
    assert_eq!(kubernetes.snapshot().watches[0].state, WatchState::Stale);
    server.put(DEPLOYMENTS, "prod", "a", object("FlinkDeployment", 2));
    server.open().await;
    until("it is back", || spec(&answer()) == Some(json!(2))).await;
}

#[tokio::test]
async fn a_server_that_ends_every_watch_is_not_asked_in_a_circle() {
    let server = Server::start().await;
    server.set(|state| state.short = true);
    let kubernetes = synced(&server, Options::default()).await;
    server.put(DEPLOYMENTS, "prod", "a", object("FlinkDeployment", 1));
    until("the event", || spec(&one(&kubernetes, "FlinkDeployment", "prod", "a")) == Some(json!(1))).await;
    let (before, started) = (server.asked(&[]), Instant::now());
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Five watches, each at most once in 75 ms when the waits are longest. Without them it would be thousands.
    let (asked, most) = (server.asked(&[]) - before, 50.0 + 100.0 * started.elapsed().as_secs_f64());
    assert!((asked as f64) < most, "{asked}");
}

#[tokio::test]
async fn namespaces_are_watched_one_by_one_with_their_labels() {
    let server = Server::start().await;
    for name in ["prod", "dev", "other"] {
        let labels = json!({"kubernetes.io/metadata.name": name, "stage": name});
        server.put("namespaces", "", name, json!({"metadata": {"labels": labels}}));
        server.put(DEPLOYMENTS, name, "a", object("FlinkDeployment", name));
    }
    let namespaces = vec!["prod".to_owned(), "dev".to_owned(), "prod".to_owned()];
    let kubernetes = synced(&server, Options { namespaces, ..Options::default() }).await;
    assert_eq!(spec(&one(&kubernetes, "FlinkDeployment", "dev", "a")), Some(json!("dev")));
    assert!(why(one(&kubernetes, "FlinkDeployment", "other", "a")).contains("--watch-namespace"));
    assert_eq!(server.asked(&["GET /apis/flink.apache.org/v1beta1/flinkdeployments"]), 0, "only what was named");
    until("labels", || matches!(kubernetes.labels("prod"), Answered::Found(_))).await;
    let Answered::Found(labels) = kubernetes.labels("prod") else { panic!() };
    assert_eq!(serde_json::from_slice::<Value>(&labels).unwrap()["stage"], "prod");
    assert!(matches!(kubernetes.labels("other"), Answered::Unavailable(_)));
    assert!(server.asked(&["as=PartialObjectMetadataList", "fieldSelector=metadata.name%3Dprod"]) >= 1);
    assert_eq!(server.asked(&["user-agent: sluicegate"]), 0, "set where the configuration is read");

    let all = synced(&server, Options::default()).await;
    assert!(matches!(all.labels("other"), Answered::Found(_)));
    assert_eq!(all.labels("none"), Answered::Absent);
}

#[tokio::test]
async fn the_first_list_is_waited_for_and_a_broken_watch_is_not() {
    let server = Server::start().await;
    server.put(DEPLOYMENTS, "prod", "a", object("FlinkDeployment", 1));
    server.set(|state| state.held = true);
    let kubernetes = Arc::new(watching(&server, Options::default()));
    let options = LiveOptions { kubernetes: Some(kubernetes.clone() as Arc<dyn Objects>), ..LiveOptions::default() };
    let live = Live::new(options).unwrap();
    let wanted = Lookup::Kubernetes(about("FlinkDeployment", "prod", Some("a")));
    let soon = || tokio::time::Instant::now() + Duration::from_millis(50);
    assert!(why(live.answer(&wanted, soon()).await).contains("not read from Kubernetes yet"));
    let long = tokio::time::Instant::now() + Duration::from_secs(30);
    let (answer, ()) = tokio::join!(live.answer(&wanted, long), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        server.set(|state| state.held = false);
    });
    assert_eq!(spec(&answer), Some(json!(1)));
    assert!(kubernetes.coming(&about("FlinkDeployment", "prod", Some("a"))).is_none());

    // Who may not read need not wait: it would take all the time that there is, for each request.
    let refusing = Server::start().await;
    let refusal = (403, json!({"kind": "Status", "message": "no", "reason": "Forbidden", "code": 403}).to_string());
    refusing.set(|state| drop(state.refused.insert(DEPLOYMENTS.to_owned(), refusal)));
    let kubernetes = watching(&refusing, Options::default());
    until("it is refused", || kubernetes.coming(&about("FlinkDeployment", "prod", None)).is_none()).await;
    assert!(why(one(&kubernetes, "FlinkDeployment", "prod", "a")).contains("allow this account"));
}

#[tokio::test]
async fn a_kubeconfig_is_enough() {
    let server = Server::start().await;
    server.put(DEPLOYMENTS, "prod", "a", object("FlinkDeployment", 1));
    let text = format!(
        "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: k, cluster: {{server: 'http://{}'}}}}], \
         users: [{{name: u, user: {{token: very-secret}}}}], contexts: [{{name: c, context: {{cluster: k, user: u}}}}]}}",
        server.address
    );
    let kubernetes = Kubernetes::from_kubeconfig(&text, Options::default()).await.unwrap();
    until("the first sync", || kubernetes.synced().is_ok()).await;
    assert_eq!(spec(&one(&kubernetes, "FlinkDeployment", "prod", "a")), Some(json!(1)));
    assert!(server.asked(&["authorization: Bearer very-secret", "user-agent: sluicegate/"]) >= 5);
    assert!(!format!("{kubernetes:?} {:?}", kubernetes.snapshot()).contains("secret"));

    let stale = Options { stale_after: Duration::from_secs(1), ..Options::default() };
    assert!(matches!(Kubernetes::from_kubeconfig(&text, stale).await, Err(KubernetesError::StaleAfter(_))));
    let unsound = Options { namespaces: vec!["../pods".to_owned()], ..Options::default() };
    assert!(matches!(Kubernetes::from_kubeconfig(&text, unsound).await, Err(KubernetesError::Namespace(_))));
    assert!(matches!(Kubernetes::from_kubeconfig("[", Options::default()).await, Err(KubernetesError::Client(_))));
}
