//! What there may be to write, and how it is carried out.

use serde_json::Value;
use tracing::warn;

use crate::{
    controller::{
        Context, conditions,
        events::Happening,
        status,
        summary::Summary,
        writer::{self, GroupList},
    },
    graph::facts::{Name, ObjectRef, Timestamp},
    source::ledger::{ObservedStatus, Record},
};

/// Something to write.
#[derive(Debug)]
pub(super) enum Write {
    AddFinalizer(ObjectRef, Record),
    RemoveFinalizer(ObjectRef, Record, u32),
    Delete(ObjectRef, Record),
    DeleteExpired(ObjectRef, Record, Timestamp),
    TakeOutOfGroup(ObjectRef, Record, Vec<(GroupList, Name)>),
    Status(Box<StatusWrite>),
}

/// What a write came to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Written,
    /// The API server took it and has what it had before.
    ChangedNothing,
}

#[derive(Debug)]
pub(super) struct StatusWrite {
    pub(super) object: ObjectRef,
    pub(super) record: Record,
    pub(super) stated: Vec<conditions::Stated>,
    pub(super) value: Value,
}

impl Write {
    /// Carries it out.
    pub(super) async fn execute(&self, context: &Context, environment: &Name) -> Result<Outcome, writer::Error> {
        let writer = &context.writer;
        let report = |object: &ObjectRef, record: &Record, happening, note: &str| {
            context.events.report(environment, object, record, happening, note);
        };
        match self {
            Self::AddFinalizer(object, record) => writer.add_finalizer(environment, object, record).await?,
            Self::RemoveFinalizer(object, record, index) => {
                writer.remove_finalizer(environment, object, record, *index).await?;
                if record.status.as_ref().is_some_and(ObservedStatus::tells_of_dependents) {
                    report(object, record, Happening::CascadeCompleted, "everything that depended on it is gone");
                }
            }
            Self::Delete(object, record) => writer.delete(environment, object, record).await?,
            Self::DeleteExpired(object, record, at) => {
                writer.delete(environment, object, record).await?;
                let note = format!("it expired at {at} and has been kept for long enough");
                report(object, record, Happening::ExpiredDeleted, &note);
            }
            Self::TakeOutOfGroup(group, _, names) => {
                writer.take_out_of_group(environment, &group.name, names).await?;
            }
            Self::Status(write) => {
                let StatusWrite { object, record, stated, value } = &**write;
                context.status_rate.wait().await;
                let resource_version = writer.write_status(environment, object, record, value).await?;
                if resource_version == record.resource_version {
                    warn!(%environment, %object, "the API server keeps a status other than it is told; install the definitions of this version: `bailiwick crds`");
                    return Ok(Outcome::ChangedNothing);
                }
                if let Some((happening, note)) = Happening::of_status(object.kind, record.status.as_ref(), stated) {
                    report(object, record, happening, note);
                }
            }
        }
        Ok(Outcome::Written)
    }

    /// What is written to, and the state that it is in.
    pub(super) fn target(&self) -> (&ObjectRef, &Record) {
        match self {
            Self::AddFinalizer(object, record)
            | Self::RemoveFinalizer(object, record, _)
            | Self::Delete(object, record)
            | Self::DeleteExpired(object, record, _)
            | Self::TakeOutOfGroup(object, record, _) => (object, record),
            Self::Status(write) => (&write.object, &write.record),
        }
    }
}

/// What to write so that the status says that; none: it does already.
pub(super) fn status_write(
    object: ObjectRef,
    record: Record,
    stated: Vec<conditions::Stated>,
    summary: Option<&Summary>,
    now: Timestamp,
) -> Option<StatusWrite> {
    let value = status::status(record.generation, &stated, summary, record.status.as_ref(), now);
    let same = record
        .status
        .as_ref()
        .is_some_and(|observed| ObservedStatus::of(&value).is_some_and(|desired| desired.says_the_same(observed)));
    (!same).then_some(StatusWrite { object, record, stated, value })
}
