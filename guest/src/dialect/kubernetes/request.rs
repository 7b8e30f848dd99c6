//! An AdmissionReview or a bare manifest, taken apart into what is asked: verb, kind, target, who, and both objects.

use std::borrow::Cow;

use crate::document::Node;
use crate::gate::Failure;
use crate::operation::{Declaration, Kind, Resource, Spec};
use crate::operation::{Oddity, OddityKind, Place, Target, Verb};

const FLINK: &str = "flink.apache.org";
const VERVERICA: &str = "ververica.platform";

/// A request for a resource of a kind that is judged.
#[derive(Debug)]
pub(super) struct Ask<'d> {
    pub(super) verb: Verb,
    pub(super) kind: Kind,
    pub(super) target: Target<'d>,
    /// Who asks, as the API server authenticated them.
    pub(super) user: Option<Cow<'d, str>>,
    /// What the resource becomes; none for a delete.
    pub(super) object: Option<Resource<'d>>,
    /// What it was; none for a create.
    pub(super) old: Option<Resource<'d>>,
    /// A manifest, which leaves out the metadata and status that the cluster adds.
    pub(super) bare: bool,
}

impl<'d> Ask<'d> {
    /// What rules may see of it.
    pub(super) fn declaration<'s>(&self, last: Option<Spec<'s>>) -> Declaration<'s>
    where
        'd: 's,
    {
        let Self { verb, kind, object, old, bare, .. } = *self;
        let mut declaration = Declaration::new(verb, kind, object, old, bare);
        declaration.last = last;
        declaration
    }

    /// The resource as it stands in the request: the new one, for a delete the old one.
    pub(super) fn resource(&self) -> Option<Resource<'d>> {
        self.object.or(self.old)
    }

    /// The resource as it was known before.
    pub(super) fn before(&self) -> Option<Resource<'d>> {
        self.old.or(self.object)
    }
}

/// What a request asks.
#[derive(Debug)]
pub(super) enum Asked<'d> {
    /// To create, change or delete a resource.
    Resource(Ask<'d>),
    /// To set the number of TaskManagers through the scale subresource: the replicas after and before.
    Scale { target: Target<'d>, user: Cow<'d, str>, object: Resource<'d>, old: Option<Resource<'d>> },
    /// Nothing that concerns a job; the words say why.
    Nothing { why: &'static str, target: Target<'d>, place: Place<'d> },
    /// Something that we do not know, and who does what to which object.
    Unknown { oddity: Oddity<'d>, target: Target<'d>, verb: Verb, user: Cow<'d, str>, object: Option<Resource<'d>> },
}

fn text<'d>(node: Node<'d>, path: &[&str]) -> Cow<'d, str> {
    node.path(path).and_then(|value| value.text()).unwrap_or_default()
}

/// Takes an AdmissionReview apart.
pub(super) fn review(root: Node<'_>) -> Result<Asked<'_>, Failure> {
    if !root.is_object() || !root.get("kind").is_some_and(|kind| kind.is("AdmissionReview")) {
        return Err(Failure::malformed(
            "this is no AdmissionReview: its `kind` is another; send what the API server sent",
        ));
    }
    if root.get("apiVersion").is_none() {
        return Err(Failure::malformed(
            "the AdmissionReview's `apiVersion` is missing; expected `admission.k8s.io/v1`",
        ));
    }
    if !root.get("apiVersion").is_some_and(|version| version.is("admission.k8s.io/v1")) {
        return Err(Failure::malformed(format!(
            "the AdmissionReview is of apiVersion `{}`; register the webhook with admissionReviewVersions: [\"v1\"]",
            text(root, &["apiVersion"])
        )));
    }
    let Some(request) = root.get("request").filter(Node::is_object) else {
        return Err(Failure::malformed("the AdmissionReview holds no `request`; is it an answer?"));
    };
    if text(request, &["uid"]).trim().is_empty() {
        return Err(Failure::malformed("the AdmissionReview's request has no `uid`, so it could not be answered"));
    }
    let (object, old) = (request.get("object"), request.get("oldObject"));
    let either = object.or(old);
    let named = |key: &str| {
        let given = text(request, &[key]);
        if !given.is_empty() {
            return given;
        }
        either.map(|node| text(node, &["metadata", key])).unwrap_or_default()
    };
    let target = Target { namespace: named("namespace"), name: named("name") };
    let place = Place::of(either.or(Some(request)));
    let group = match text(request, &["resource", "group"]) {
        group if group.is_empty() => text(request, &["kind", "group"]),
        group => group,
    };
    if request.get("kind").is_none() && request.get("resource").is_none() {
        return Err(Failure::malformed("the AdmissionReview's request has neither `kind` nor `resource`"));
    }
    if group != FLINK && group != VERVERICA {
        return Ok(Asked::Nothing { why: "not a Flink resource:", target, place });
    }
    let verb = match text(request, &["operation"]).as_ref() {
        "CREATE" => Verb::Create,
        "UPDATE" => Verb::Update,
        "DELETE" => Verb::Delete,
        "CONNECT" => return Ok(Asked::Nothing { why: "connect to", target, place }),
        "" => {
            return Err(Failure::malformed(
                "the AdmissionReview's `operation` is missing; expected CREATE, UPDATE, DELETE or CONNECT",
            ));
        }
        other => {
            return Err(Failure::malformed(format!(
                "the AdmissionReview's operation `{other}` is none that Kubernetes has"
            )));
        }
    };
    let user = text(request, &["userInfo", "username"]);
    match text(request, &["subResource"]).as_ref() {
        "" => {}
        "status" => return Ok(Asked::Nothing { why: "status update of", target, place }),
        "scale" if text(request, &["resource", "resource"]) == "flinkdeployments" => {
            let object = Resource::at(object.ok_or_else(|| lacks("UPDATE", "object"))?);
            return Ok(Asked::Scale { target, user, object, old: old.map(Resource::at) });
        }
        other => {
            let oddity = unknown(request.get("subResource"), format!("the subresource `{other}` is not known here"));
            let object = either.map(Resource::at);
            return Ok(Asked::Unknown { oddity: oddity.observed(other), target, verb, user, object });
        }
    }
    let (version, word) = (text(request, &["kind", "version"]), text(request, &["kind", "kind"]));
    let kind = match kind(&group, &version, &word) {
        Ok(kind) => kind,
        Err(_) if group == VERVERICA && word != "VvpDeployment" => {
            return Ok(Asked::Nothing { why: "not a Flink job:", target, place });
        }
        Err(_) if spec_stays(object, old) => return Ok(Asked::Nothing { why: "leave unchanged", target, place }),
        Err(why) => {
            let oddity = unknown(request.get("kind").or(request.get("resource")), why);
            let oddity = oddity.observed(format!("{group}/{version} {word}"));
            let object = either.map(Resource::at);
            return Ok(Asked::Unknown { oddity, target, verb, user, object });
        }
    };
    let object = object.filter(Node::is_object).map(Resource::at);
    let old = old.filter(Node::is_object).map(Resource::at);
    let (object, old) = match verb {
        Verb::Create => (Some(object.ok_or_else(|| lacks("CREATE", "object"))?), None),
        Verb::Update => {
            let object = object.ok_or_else(|| lacks("UPDATE", "object"))?;
            (Some(object), Some(old.ok_or_else(|| lacks("UPDATE", "oldObject"))?))
        }
        Verb::Delete => (None, old),
    };
    let user = Some(user).filter(|name| !name.is_empty());
    Ok(Asked::Resource(Ask { verb, kind, target, user, object, old, bare: false }))
}

/// Takes a manifest apart: with the live object it is an update, without it a create.
pub(super) fn manifest<'d>(root: Node<'d>, live: Option<Node<'d>>) -> Result<Asked<'d>, Failure> {
    if !root.is_object() {
        return Err(Failure::malformed("the manifest is no object"));
    }
    let (api, word) = (text(root, &["apiVersion"]), text(root, &["kind"]));
    if api.is_empty() {
        return Err(Failure::unsupported(format!(
            "the `apiVersion` of the manifest of kind `{word}` is missing; a Flink resource has `flink.apache.org/v1beta1`"
        )));
    }
    let (group, version) = api.split_once('/').unwrap_or(("", &api));
    if group != FLINK && group != VERVERICA {
        return Err(Failure::unsupported(format!(
            "`{api}` `{word}` is no Flink resource; expected apiVersion `flink.apache.org/v1beta1`"
        )));
    }
    let namespace = match text(root, &["metadata", "namespace"]) {
        none if none.is_empty() => live.map(|live| text(live, &["metadata", "namespace"])).unwrap_or_default(),
        namespace => namespace,
    };
    let target = Target { namespace, name: text(root, &["metadata", "name"]) };
    let kind = match kind(group, version, &word) {
        Ok(kind) => kind,
        Err(why) if group == VERVERICA => return Err(Failure::unsupported(why)),
        Err(why) => {
            let oddity = unknown(root.get("kind").or(root.get("apiVersion")), why);
            let oddity = oddity.observed(format!("{api} {word}"));
            let object = Some(Resource::at(root));
            return Ok(Asked::Unknown { oddity, target, verb: Verb::Create, user: "".into(), object });
        }
    };
    if let Some(live) = live {
        let (live_word, live_name) = (text(live, &["kind"]), text(live, &["metadata", "name"]));
        if live_word != word || live_name != target.name {
            return Err(Failure::malformed(format!(
                "the live object is {live_word} `{live_name}`, the manifest {word} `{}`: give the same resource twice",
                target.name
            )));
        }
    }
    let verb = if live.is_some() { Verb::Update } else { Verb::Create };
    let old = live.map(Resource::at);
    Ok(Asked::Resource(Ask { verb, kind, target, user: None, object: Some(Resource::at(root)), old, bare: true }))
}

fn kind(group: &str, version: &str, word: &str) -> Result<Kind, String> {
    match (group, version, word) {
        (FLINK, "v1beta1", _) => [Kind::Deployment, Kind::SessionJob, Kind::Snapshot, Kind::BlueGreen]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| format!("the kind `{word}` of `{group}` is not known here")),
        (VERVERICA, "v1", _) if word == Kind::Ververica.word() => Ok(Kind::Ververica),
        (VERVERICA, _, _) => Err(format!("the kind `{word}` of `{group}/{version}` is not known here")),
        _ => Err(format!("version `{version}` of `{group}` is not known here")),
    }
}

/// An update of labels or finalizers only, whatever the spec means.
fn spec_stays(object: Option<Node<'_>>, old: Option<Node<'_>>) -> bool {
    match (object.and_then(|node| node.get("spec")), old.and_then(|node| node.get("spec"))) {
        (Some(after), Some(before)) => before.same(&after),
        _ => false,
    }
}

fn unknown(node: Option<Node<'_>>, message: String) -> Oddity<'_> {
    Oddity::new(
        OddityKind::UnknownRequest,
        Place::of(node),
        message,
        "what it does to a job's state cannot be told: use a resource of `flink.apache.org/v1beta1`, or a gate that knows this one",
    )
}

fn lacks(verb: &str, field: &str) -> Failure {
    Failure::malformed(format!("the AdmissionReview is for {verb} but carries no `{field}`"))
}
