//! The questions of a hold. What this side's folder lacks or shows otherwise would be lost to the other side; what came
//! from the other side, to this one. One hold may ask both, and each has a digest of its own then, so that an answer to
//! one is none to the other.

use holdfast::{
    decide::line::{Hold, Line, LineKind},
    values::digest::Digest,
};

use super::side::Which;

/// One question, as a person is shown it.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) digest: Digest,
    /// Who would lose: by an approval, or of a return, by keeping.
    pub(crate) loser: Which,
    pub(crate) is_return: bool,
    pub(crate) lines: Vec<&'a Line>,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Folder,
    Received,
    /// Deleted records that are back in this side's folder: only their files can be lost, and by keeping.
    Returned,
}

impl Part {
    const ALL: [Self; 3] = [Self::Folder, Self::Received, Self::Returned];

    /// `None` where the other side asks: what is shown here and held there is its question.
    const fn of(line: &Line) -> Option<Self> {
        match line.kind {
            LineKind::Proposal | LineKind::Contents => Some(Self::Folder),
            LineKind::Loss | LineKind::MassChange => Some(Self::Received),
            LineKind::Return => Some(Self::Returned),
            _ => None,
        }
    }

    /// The digest of this part of what a hold's digest names.
    fn digest(self, of: Digest) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(of.as_bytes()).update(format!("{self:?}").as_bytes());
        Digest::from_bytes(hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default())
    }
}

/// The questions that a hold on a side asks.
pub(crate) fn questions(which: Which, hold: &Hold) -> Vec<Question<'_>> {
    let lines = |part| hold.open().filter(move |line| Part::of(line) == Some(part)).collect::<Vec<_>>();
    let asked: Vec<(Part, Vec<&Line>)> =
        Part::ALL.into_iter().map(|part| (part, lines(part))).filter(|(_, lines)| !lines.is_empty()).collect();
    let is_one = asked.len() == 1;
    let question = |(part, lines): (Part, Vec<_>)| Question {
        digest: if is_one { hold.digest } else { part.digest(hold.digest) },
        loser: if part == Part::Folder { which.other() } else { which },
        is_return: part == Part::Returned,
        lines,
    };
    asked.into_iter().map(question).collect()
}

/// The hold's digest that a question's digest stands for, and which lines it is about; `None` if none of them is open:
/// then the other side may be asking, under the same digest.
pub(crate) fn asked_under(hold: &Hold, digest: Digest) -> Option<(Digest, impl Fn(&Line) -> bool + use<>)> {
    hold.lines.iter().find_map(|line| {
        let part = Part::ALL.into_iter().find(|part| part.digest(line.running) == digest);
        let is_whole = line.running == digest;
        let wanted = move |line: &Line| part.is_none_or(|part| Part::of(line) == Some(part));
        let is_asking = || hold.open().any(|open| open.number <= line.number && wanted(open));
        ((is_whole || part.is_some()) && is_asking()).then_some((line.running, wanted))
    })
}
