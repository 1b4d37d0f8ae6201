//! A person's answers: consent and keep.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::values::{digest::Digest, id::CollectionId, time::Timestamp};

/// What a person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Let the held versions in.
    Consent,
    /// Keep what is shown, over what came.
    Keep,
}

/// A person's answer to the lines that one digest names. It releases those lines, while they stand, once; it never
/// widens.
///
/// ```
/// use holdfast::{decide::consent::Verdict, *};
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let at = Timestamp::from_micros;
/// # let mut device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// # device.write(&create, at(1))?;
/// # for n in 2..9 {
/// #     let name = BTreeMap::from([("name", "Grace")]);
/// #     let id = RecordId::new(n.to_string())?;
/// #     device.write(&Write::create(people.clone(), id, &name, &Shape::new(), Cause::User)?, at(1))?;
/// # }
/// let all = device.records(&people, None, 100)?;
/// device.write(&Write::delete_many(people.clone(), all, Cause::User), at(2))?;
/// let question = device.hold(&people)?.expect("a question").digest;
/// let receipt = device.consent(&people, question, "Ada", at(3))?;
/// let answer = receipt.answer.expect("the receipt says who agreed, and to what");
/// assert_eq!((answer.verdict, answer.by.as_str(), answer.digest), (Verdict::Consent, "Ada", question));
/// assert!(device.consent(&people, question, "Ada", at(4)).is_err()); // it released these lines, once
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// By itself it does nothing: it is one of the guard's inputs when the change is drafted again.
///
/// ```compile_fail
/// use holdfast::{act::plan::Plan, decide::consent::Answer};
/// fn release(answer: Answer) -> Plan { Plan::new(answer) }
/// ```
///
/// ```compile_fail
/// use holdfast::{act::plan::Plan, decide::line::Hold};
/// fn release(hold: Hold) -> Plan { Plan::new(hold) }
/// ```
///
/// ```
/// use holdfast::{act::plan::Plan, decide::{consent::{Answer, Trust}, draft::Draft, guard::{Guard, Inputs}, ledger::RoundId}};
/// fn release(guard: &Guard, draft_of_today: Draft, answer: Answer) -> Plan {
///     let answers = [answer];
///     Plan::new(guard.review(draft_of_today, &Inputs::new(RoundId(1), Trust::Nothing).with_answers(&answers)))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What they said.
    pub verdict: Verdict,
    /// The collection of the hold.
    pub collection: CollectionId,
    /// The digest they were shown.
    pub digest: Digest,
    /// Who answered, in words the app can show.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// One answered line, as it travels with its record: elsewhere it excuses a loss exactly when the version that would
/// result there is `hidden`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excuse {
    /// What they said.
    pub verdict: Verdict,
    /// The version that was shown.
    pub held: Digest,
    /// The version that resulted.
    pub hidden: Digest,
    /// Who answered.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Excuse {
    /// Names the answer, and the line that it is to.
    pub(crate) fn digest(&self) -> Digest {
        let verdict = [u8::from(self.verdict == Verdict::Keep)];
        let at = self.at.as_micros().to_be_bytes();
        let parts: [&[u8]; 5] = [&verdict, self.held.as_bytes(), self.hidden.as_bytes(), self.by.as_bytes(), &at];
        Digest::of("holdfast answer", &parts)
    }
}

/// What a travelling consent is worth here: the host's word, given when a session opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Trust {
    /// It lifts nothing.
    Nothing,
    /// The peer authenticated this account, and continuity is intact: it lifts the limits for its lines.
    #[default]
    Account,
    /// The host verified a person's signature over it.
    Signed,
}

impl Trust {
    /// Whether a travelling consent lifts the limits for its lines.
    #[must_use]
    pub const fn lifts(self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Account | Self::Signed => true,
        }
    }
}
