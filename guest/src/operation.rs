//! The platform-neutral vocabulary: what a request would do, to what, and what is known of its target. Decoders write
//! it, rules read it.

mod action;
mod content;
mod current;
mod intent;
mod lookup;
mod oddity;
mod overriding;
mod resource;
mod want;

use std::borrow::Cow;

use crate::configuration::Entry;
use crate::document::Node;
use crate::facts::Facts;
use crate::location;
pub use action::{
    Action, Change, Claim, ClaimMode, Deletion, Disposal, Reach, Registration, Restore, Skipped, Start, StartCause,
    Stop, StopCause, StopMode, Trigger,
};
pub use content::Content;
pub use current::{Current, Dependent, JobState, Retention};
pub use intent::{Assume, AssumedBy, Intent, Restart};
pub use lookup::{Lookup, ObjectRef, Scoped};
pub use oddity::{Oddity, OddityKind, Soft};
#[cfg(test)]
pub use overriding::ANNOTATIONS;
pub use overriding::{HEADERS, MEMBERS, MOST as MOST_OVERRIDDEN, Override};
pub use resource::{Declaration, Desired, Kind, LAST_STATE_PATH, Resource, Spec, UpgradeMode, Verb};
pub use want::Want;

/// A platform's way to say a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    Kubernetes,
    Ververica,
    Alibaba,
    FlinkRest,
    Plan,
}

impl Dialect {
    /// The name in facts, settings and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Ververica => "ververica",
            Self::Alibaba => "alibaba",
            Self::FlinkRest => "flink-rest",
            Self::Plan => "plan",
        }
    }

    /// The dialect of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Kubernetes, Self::Ververica, Self::Alibaba, Self::FlinkRest, Self::Plan]
            .into_iter()
            .find(|dialect| dialect.name() == name)
    }
}

/// A decoded request: one stage, or for a change plan one stage per step.
#[derive(Debug)]
pub struct Decoded<'d> {
    /// How it was recognised.
    pub dialect: Dialect,
    /// What happens, in order.
    pub stages: Vec<Stage<'d>>,
}

/// Operations that are judged against one state of the world.
#[derive(Debug)]
pub struct Stage<'d> {
    /// Whose semantics apply: the platform of a plan's deployment, otherwise the dialect.
    pub platform: Dialect,
    /// What would be done, in order.
    pub operations: Vec<Operation<'d>>,
    /// Spellings and shapes that a decoder noticed; each belongs to one rule.
    pub oddities: Vec<Oddity<'d>>,
    /// What the request says of the job's content.
    pub content: Content<'d>,
    /// What is known of the target before these operations.
    pub current: Current<'d>,
    /// The resource that a Kubernetes request creates, changes or deletes.
    pub declaration: Option<Declaration<'d>>,
    /// The facts that apply to the target.
    pub facts: Facts<'d>,
    /// Which read of the platform tells what a rule may want. A location is read where it lies.
    pub lookups: Vec<(Want, Lookup)>,
    /// What was said about a restart.
    pub intent: Intent<'d>,
    /// The rules that the request asks to lift.
    pub overrides: Vec<Override<'d>>,
    /// It is a step of a change plan: remedies speak of its steps.
    pub in_plan: bool,
    /// The platform's own name of the call, where permissions go by it.
    pub call: Option<&'static str>,
    /// An update that brings nothing new, in its spec or elsewhere (Kubernetes).
    pub repeats: bool,
    /// A reason why nothing here may be denied: a controller asks (DOMAIN 6.0-1) or it is recovery (6.0-5).
    pub leniency: Option<&'static str>,
}

impl<'d> Stage<'d> {
    /// A stage that knows nothing yet.
    pub fn new(platform: Dialect, facts: Facts<'d>) -> Self {
        let intent = Intent {
            operator: facts.restart_planned,
            requester: facts.requester_restart,
            trusted: false,
            by_plan: false,
            restart_assumed: None,
            place: Place::Request,
        };
        Self {
            platform,
            operations: Vec::new(),
            oddities: Vec::new(),
            content: Content::default(),
            current: Current::default(),
            declaration: None,
            facts,
            lookups: Vec::new(),
            intent,
            overrides: Vec::new(),
            in_plan: false,
            call: None,
            repeats: false,
            leniency: None,
        }
    }

    /// The read that tells this.
    pub fn lookup(&self, want: &Want) -> Option<Lookup> {
        match want {
            Want::Location(at) => Some(Lookup::Location(location::normal(at))),
            want => self.lookups.iter().find(|(told, _)| told == want).map(|(_, lookup)| lookup.clone()),
        }
    }

    /// A cancel, a suspend on Kubernetes, or a delete of a job that fails or never ran is the way out: nothing about
    /// it is denied (DOMAIN 6.0-5). What else an update brings in is judged as ever: later nobody would ask again. To be
    /// called when all operations stand.
    pub fn allow_recovery(&mut self) {
        let ends = |operation: &Operation<'_>| match &operation.action {
            Action::Delete(_) => true,
            Action::Stop(stop) => {
                let suspends = self.platform == Dialect::Kubernetes && stop.cause == StopCause::Suspend;
                suspends || stop.mode == StopMode::Cancel
            }
            _ => false,
        };
        let stays = |operation: &Operation<'_>| match &operation.action {
            Action::Change(change) => !change.content && !change.brings_more,
            _ => false,
        };
        let never = |operation: &Operation<'_>| match &operation.action {
            Action::Delete(deletion) => deletion.deployed == Some(false),
            _ => false,
        };
        let all = &self.operations;
        let recovers = all.iter().any(ends) && all.iter().all(|it| ends(it) || stays(it)) && self.leniency.is_none();
        if !recovers {
            return;
        }
        if self.current.state.as_ref().is_some_and(JobState::is_failing) {
            self.leniency = Some("the job is failing: to end it is the way out");
        } else if self.facts.deployment.never_started == Some(true) || all.iter().any(never) {
            self.leniency = Some("the deployment was never started: no state can be lost");
        }
    }

    /// The deployment as it is stored, where facts bring it along or the request does (Ververica, Alibaba).
    pub fn stored(&self) -> Option<Node<'d>> {
        if let Some(declaration) = &self.declaration {
            return declaration.old?.node.path(&["spec", "deployment"]);
        }
        let target = &self.operations.first()?.target.name;
        let named = |node: Option<Node<'_>>| node.is_some_and(|node| !target.is_empty() && node.is(target));
        let ours = |resource: &Node<'d>| {
            let names = ["deploymentId", "deploymentName", "name"].iter().map(|name| resource.get(name));
            let metadata = ["id", "name"].iter().map(|name| resource.path(&["metadata", name]));
            names.chain(metadata).any(named)
        };
        self.facts.related.iter().map(|resource| resource.get("data").unwrap_or(*resource)).find(ours)
    }

    /// The platform's namespace that the request is about; empty where there is none.
    pub fn namespace(&self) -> &str {
        self.operations.first().map(|operation| operation.target.namespace.as_ref()).unwrap_or_default()
    }

    /// The update of a resource that runs a job and is to go on doing so: the resource, its spec before and after. The
    /// operator acts neither on canaries nor, but for its clean-up, on what is being deleted.
    pub fn edit(&self) -> Option<(&Declaration<'d>, Spec<'d>, Spec<'d>)> {
        let declaration = self.declaration.as_ref()?;
        let edit = declaration.verb == Verb::Update && declaration.kind.runs_job() && !declaration.idle;
        edit.then_some((declaration, declaration.old_spec()?, declaration.new_spec()?))
    }

    /// Whether the request itself says this of its configuration.
    pub fn gives(&self, entry: &Entry<'_>) -> bool {
        self.content.configuration.is_some_and(|map| map.holds(entry.node))
    }

    /// Where the request says this of its configuration; else where it says anything of it.
    pub fn place_of(&self, entry: Option<&Entry<'d>>) -> Place<'d> {
        let given = entry.filter(|entry| self.gives(entry)).map(|entry| entry.node);
        Place::of(given.or(self.content.configuration))
    }

    /// The stops, with the operation they stand in.
    pub fn stops(&self) -> impl Iterator<Item = (&Operation<'d>, &Stop<'d>)> {
        self.operations.iter().filter_map(|operation| match &operation.action {
            Action::Stop(stop) => Some((operation, stop)),
            _ => None,
        })
    }

    /// The starts, with the operation they stand in.
    pub fn starts(&self) -> impl Iterator<Item = (&Operation<'d>, &Start<'d>)> {
        self.operations.iter().filter_map(|operation| match &operation.action {
            Action::Start(start) => Some((operation, start)),
            _ => None,
        })
    }
}

/// Where in a request something stands.
#[derive(Clone, Debug)]
pub enum Place<'d> {
    /// This value of the body.
    Body(Node<'d>),
    /// This header.
    Header(&'static str),
    /// The method or the request target.
    Target,
    /// The request as a whole.
    Request,
}

impl<'d> Place<'d> {
    /// This value if there is one, else the whole request.
    pub fn of(node: Option<Node<'d>>) -> Self {
        node.map_or(Self::Request, Self::Body)
    }
}

/// What an operation is done to. `name` is a name or an id, as the request gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target<'d> {
    /// The platform's namespace; empty where there is none.
    pub namespace: Cow<'d, str>,
    /// Name or id.
    pub name: Cow<'d, str>,
}

impl std::fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.namespace.is_empty() {
            true => write!(f, "{}", self.name),
            false => write!(f, "{}/{}", self.namespace, self.name),
        }
    }
}

/// One thing that a request would do.
#[derive(Debug)]
pub struct Operation<'d> {
    /// What.
    pub action: Action<'d>,
    /// To what.
    pub target: Target<'d>,
    /// Where the request says so.
    pub place: Place<'d>,
}

impl Operation<'_> {
    /// In words, with its target: `stop with drain prod/5af6`.
    pub fn summary(&self) -> String {
        match (self.action.words(), self.target.name.is_empty()) {
            (words, false) => format!("{words} {}", self.target),
            (words, true) => words.trim_end_matches(" of").to_owned(),
        }
    }
}
