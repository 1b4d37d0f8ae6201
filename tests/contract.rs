//! What an embedder can rely on: what is public, and what may cross threads.
//!
//! What can *not* be written is shown in the docs, at the types it protects, each beside a twin that compiles.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop")]

use std::{fmt::Write as _, fs, path::Path};

use holdfast::{
    act::{
        memory::MemoryStore,
        plan::{Applying, Batch, Plan},
        receipt::Receipt,
    },
    compose::{
        device::Device,
        device_session::{DeviceSession, Opening, Output, Report},
        exchange::Exchanged,
        explain::Explanation,
        rebuild::RebuildReport,
        serve::{Call, Decision},
        server::Server,
    },
    decide::{
        changes::{Acknowledgement, Changes},
        consent::{Answer, Excuse},
        diff::Diff,
        draft::Draft,
        guard::{Approved, Guard},
        limits::Limits,
        line::Hold,
        position::PositionKey,
        row::{Former, Row},
        slice::{ReadSet, Slice},
        write::{Seen, Write},
    },
    talk::frame::{ReplyFrame, RequestFrame},
    values::{
        entropy::Entropy, record::Record, shape::Shape, value::Value, version::Version, version_vector::VersionVector,
    },
};
use syn::{Item, Visibility};

#[test]
fn everything_that_a_host_holds_may_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Device<MemoryStore>>();
    crosses::<Server<MemoryStore>>();
    crosses::<MemoryStore>();
    crosses::<(Plan, Batch, Applying, Receipt)>();
    crosses::<(Diff, Draft, Approved, Guard, Limits)>();
    crosses::<(Slice, ReadSet, Row, Former)>();
    crosses::<(Changes, Acknowledgement, Answer, Excuse, Hold)>();
    crosses::<(Write, Seen<String>, Exchanged, Explanation)>();
    crosses::<(Version, Record, Value, VersionVector, Shape)>();
    crosses::<(RequestFrame, ReplyFrame)>();
    crosses::<(Opening, DeviceSession, Output, Report, RebuildReport)>();
    crosses::<(Call<'static>, Decision, PositionKey, Entropy)>();
}

#[test]
fn errors_are_errors_that_may_cross_threads() {
    fn fits<E: core::error::Error + Send + Sync + 'static>() {}
    type Never = core::convert::Infallible;
    fits::<holdfast::values::codec::DecodeError>();
    fits::<holdfast::values::id::IdError>();
    fits::<holdfast::values::shape::ShapeError>();
    fits::<holdfast::values::patch::PatchError>();
    fits::<holdfast::talk::codec::FrameError>();
    fits::<holdfast::talk::message::Refused>();
    fits::<holdfast::decide::diff::DiffError>();
    fits::<holdfast::decide::refusal::Refusal>();
    fits::<holdfast::decide::author::WriteError>();
    fits::<holdfast::decide::answer::AnswerError>();
    fits::<holdfast::act::store::CommitError<Never>>();
    fits::<holdfast::compose::device::WriteFailed<Never>>();
    fits::<holdfast::compose::device::ReadError<Never>>();
    fits::<holdfast::compose::round::RoundError<Never>>();
    fits::<holdfast::compose::exchange::ExchangeError<Never, Never>>();
    fits::<holdfast::compose::converse::ConverseFailed<Never, Never>>();
    fits::<holdfast::compose::converse::ServeFailed<Never>>();
    fits::<holdfast::compose::device::identity::TakeOverFailed<Never>>();
    fits::<holdfast::compose::device::online::LeaveFailed<Never>>();
    fits::<holdfast::decide::acknowledge::LeaveError>();
    fits::<holdfast::decide::listing::Incomplete>();
    fits::<holdfast::decide::takeover::TakeOverError>();
    fits::<holdfast::talk::session::SessionError>();
    fits::<holdfast::values::digest::ParseDigestError>();
    fits::<holdfast::values::entropy::EntropyError>();
}

/// Every error says what to do (L5): what became of the state is not the last that it says.
#[test]
fn every_error_names_its_way_out() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let (mut seen, mut mute) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for said in text.split("#[error(").skip(1).map(str::trim_start).filter(|said| said.starts_with('"')) {
                seen += 1;
                let said = said.trim_start_matches('"').split('"').next().unwrap();
                let is_state = ["nothing was changed", "as it was", "as it is", "was made", "could not be read"];
                if is_state.iter().any(|state| said.ends_with(state)) {
                    mute.push(format!("{}: {said}", path.display()));
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} errors were seen");
    assert!(mute.is_empty(), "{mute:#?}");
}

/// Where the list is kept. `HOLDFAST_BLESS=1` writes it anew; what changed is then for the reviewer to see.
const LIST: &str = "tests/contract/public_api.txt";

#[test]
fn the_public_interface_is_the_one_that_was_agreed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    read_module(&root.join("src/lib.rs"), &root.join("src"), "holdfast", &mut found);
    found.sort();
    assert!(found.len() > 200, "only {} public items: the reader does not see them", found.len());
    let mut text = String::new();
    found.iter().for_each(|line| writeln!(text, "{line}").unwrap());
    if std::env::var_os("HOLDFAST_BLESS").is_some() {
        fs::write(root.join(LIST), &text).unwrap();
    }
    let agreed = fs::read_to_string(root.join(LIST)).unwrap();
    let new: Vec<_> = found.iter().filter(|line| !agreed.lines().any(|known| known == *line)).collect();
    let gone: Vec<_> = agreed.lines().filter(|known| !found.iter().any(|line| line == known)).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "new: {new:#?}\ngone: {gone:#?}\nif it is meant, run with HOLDFAST_BLESS=1"
    );
}

/// Lists the public items of the module in `file`, whose children are in `folder`.
fn read_module(file: &Path, folder: &Path, path: &str, found: &mut Vec<String>) {
    let text = fs::read_to_string(file).unwrap();
    for item in syn::parse_file(&text).unwrap().items {
        read_item(&item, folder, path, found);
    }
}

fn read_item(item: &Item, folder: &Path, path: &str, found: &mut Vec<String>) {
    let mut one = |visibility: &Visibility, kind: &str, name: &dyn std::fmt::Display| {
        if matches!(visibility, Visibility::Public(_)) {
            found.push(format!("{path}::{name} ({kind})"));
        }
    };
    match item {
        Item::Struct(item) => one(&item.vis, "struct", &item.ident),
        Item::Enum(item) => one(&item.vis, "enum", &item.ident),
        Item::Trait(item) => one(&item.vis, "trait", &item.ident),
        Item::Fn(item) => one(&item.vis, "fn", &item.sig.ident),
        Item::Const(item) => one(&item.vis, "const", &item.ident),
        Item::Type(item) => one(&item.vis, "type", &item.ident),
        Item::Use(item) => {
            let syn::UseTree::Path(tree) = &item.tree else { return };
            let mut names = Vec::new();
            leaves(&tree.tree, &mut names);
            names.iter().for_each(|name| one(&item.vis, "use", name));
        }
        Item::Macro(item) if item.ident.is_none() => {
            // The id types are made by macros: `text_id! { /// docs  Name }`.
            let name = item.mac.tokens.clone().into_iter().last().map(|token| token.to_string());
            name.iter().for_each(|name| found.push(format!("{path}::{name} (struct)")));
        }
        Item::Impl(item) if item.trait_.is_none() => {
            let syn::Type::Path(owner) = &*item.self_ty else { return };
            let Some(owner) = owner.path.segments.last() else { return };
            for member in &item.items {
                let (visibility, name, kind) = match member {
                    syn::ImplItem::Fn(member) => (&member.vis, &member.sig.ident, "fn"),
                    syn::ImplItem::Const(member) => (&member.vis, &member.ident, "const"),
                    _ => continue,
                };
                if matches!(visibility, Visibility::Public(_)) {
                    found.push(format!("{path}::{}::{name} ({kind})", owner.ident));
                }
            }
        }
        Item::Mod(item) if matches!(item.vis, Visibility::Public(_)) => {
            found.push(format!("{path}::{} (mod)", item.ident));
            let name = item.ident.to_string();
            let (file, inner) = (folder.join(format!("{name}.rs")), folder.join(&name));
            read_module(&file, &inner, &format!("{path}::{name}"), found);
        }
        // What a private module adds to a public type is public; the module's own items are not.
        Item::Mod(item) if item.content.is_none() && !item.attrs.iter().any(|a| a.path().is_ident("cfg")) => {
            let name = item.ident.to_string();
            let mut inner = Vec::new();
            read_module(&folder.join(format!("{name}.rs")), &folder.join(&name), path, &mut inner);
            let depth = |path: &str| path.matches("::").count();
            found.extend(inner.into_iter().filter(|line| depth(line) > depth(path).saturating_add(1)));
        }
        _ => {}
    }
}

fn leaves(tree: &syn::UseTree, names: &mut Vec<String>) {
    match tree {
        syn::UseTree::Path(path) => leaves(&path.tree, names),
        syn::UseTree::Name(name) => names.push(name.ident.to_string()),
        syn::UseTree::Rename(rename) => names.push(rename.rename.to_string()),
        syn::UseTree::Glob(_) => names.push("*".into()),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, names)),
    }
}
