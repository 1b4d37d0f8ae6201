//! Reads source text into facts that rules can judge: who names whom, which words occur, how long functions are.
//!
//! Code under `#[cfg(test)]` and files named `tests.rs` are left out. Doc comments are left out too: a link is no import.

use std::{fs, path::Path};

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{
    Attribute, Ident, ImplItemFn, ItemExternCrate, ItemFn, ItemMod, ItemUse, Macro, Meta, Signature, TraitItemFn,
    UseTree, Visibility, ext::IdentExt, punctuated::Punctuated, spanned::Spanned, visit, visit::Visit,
};

/// The facts of every file that is not a test.
pub(crate) struct Tree {
    pub(crate) files: Vec<SourceFile>,
}

/// What one file says.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) lines: usize,
    /// `values::id` of `src/values/id.rs`; empty for `src/lib.rs`.
    pub(crate) module: Vec<String>,
    /// The modules it declares, in order.
    pub(crate) children: Vec<String>,
    pub(crate) no_std: bool,
    /// Paths that begin at `crate`, `self` or `super`, resolved from the crate's root.
    pub(crate) names: Vec<(Vec<String>, usize)>,
    /// Every identifier, in the order of the text.
    pub(crate) words: Vec<(String, usize)>,
    /// Every macro that is called.
    pub(crate) macros: Vec<(String, usize)>,
    pub(crate) functions: Vec<Function>,
}

/// Where a function stands, from its signature to its closing brace, without its docs.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

impl Tree {
    /// Reads all `.rs` files under `root/src`.
    pub(crate) fn read(root: &Path) -> Self {
        let mut files = Vec::new();
        collect(root, &root.join("src"), &mut files);
        let texts: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        Self::parse(&texts)
    }

    /// Reads (path, text) pairs; a path begins with `src/`.
    pub(crate) fn parse(sources: &[(&str, &str)]) -> Self {
        let mut files = Vec::new();
        let mut test_modules = Vec::new();
        for (path, text) in sources.iter().filter(|(path, _)| !path.ends_with("/tests.rs")) {
            let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{path} does not parse: {error}"));
            let mut reader = Reader::new(path, text);
            reader.file.no_std = syntax.attrs.iter().any(|attribute| attribute.path().is_ident("no_std"));
            reader.visit_file(&syntax);
            test_modules.append(&mut reader.test_modules);
            files.push(reader.file);
        }
        files.retain(|file| !test_modules.iter().any(|module| file.module.starts_with(module)));
        Self { files }
    }

    /// The file of a module, `&[]` for the crate's root.
    pub(crate) fn file(&self, module: &[&str]) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.module == module)
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for path in entries.iter().map(fs::DirEntry::path) {
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).expect("under the root").to_string_lossy().replace('\\', "/");
            files.push((name, fs::read_to_string(&path).expect("a text")));
        }
    }
}

struct Reader {
    file: SourceFile,
    /// The inline modules that the visit is inside of.
    inline: Vec<String>,
    /// Modules declared here under `#[cfg(test)]`, whose files are tests.
    test_modules: Vec<Vec<String>>,
}

impl Reader {
    fn new(path: &str, text: &str) -> Self {
        let stem = path.strip_prefix("src/").expect("a path under src/").trim_end_matches(".rs");
        let mut module: Vec<_> = stem.split('/').map(String::from).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        let file = SourceFile {
            path: path.into(),
            lines: text.lines().count(),
            module,
            children: Vec::new(),
            no_std: false,
            names: Vec::new(),
            words: Vec::new(),
            macros: Vec::new(),
            functions: Vec::new(),
        };
        Self { file, inline: Vec::new(), test_modules: Vec::new() }
    }

    fn here(&self) -> Vec<String> {
        self.file.module.iter().chain(&self.inline).cloned().collect()
    }

    /// Notes a path if it begins at `crate`, `self` or `super`; any other begins at something already noted.
    fn note(&mut self, segments: &[String], span: Span) {
        let mut resolved = match segments.first().map(String::as_str) {
            Some("crate" | "holdfast") => Vec::new(),
            Some("self" | "super") => self.here(),
            _ => return,
        };
        for segment in segments {
            match segment.as_str() {
                "crate" | "holdfast" | "self" => {}
                "super" => drop(resolved.pop()),
                _ => resolved.push(segment.clone()),
            }
        }
        self.file.names.push((resolved, span.start().line));
    }

    fn use_tree(&mut self, prefix: &[String], tree: &UseTree) {
        let with = |ident: &Ident| [prefix, &[ident.unraw().to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.use_tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) => self.note(&with(&name.ident), name.span()),
            UseTree::Rename(rename) => self.note(&with(&rename.ident), rename.span()),
            UseTree::Glob(glob) => self.note(prefix, glob.span()),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.use_tree(prefix, item)),
        }
    }

    /// Reads what the parser does not: the insides of macros and attributes.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(ident) => {
                    self.visit_ident(ident);
                    if is_punct(tokens.get(at + 1), '!') {
                        self.file.macros.push((ident.to_string(), ident.span().start().line));
                    }
                    let begins = at == 0 || !is_punct(tokens.get(at - 1), ':');
                    let path = path_at(&tokens, at);
                    if begins && path.len() > 1 {
                        self.note(&path, ident.span());
                    }
                }
                // `#[serde(with = "crate::x::y")]`
                TokenTree::Literal(literal) => self.literal(&literal.to_string(), literal.span()),
                TokenTree::Punct(_) => {}
            }
        }
    }

    /// A text that begins at `crate`, `self` or `super` is a path. One that begins at `holdfast` is a name on show.
    fn literal(&mut self, literal: &str, span: Span) {
        let path: Vec<_> = literal.trim_matches('"').split("::").map(String::from).collect();
        if path.len() > 1 && path.first().is_none_or(|first| first != "holdfast") {
            self.note(&path, span);
        }
    }

    fn function(&mut self, signature: &Signature, end: Span) {
        let line = signature.span().start().line;
        let lines = end.end().line - line + 1;
        self.file.functions.push(Function { name: signature.ident.to_string(), line, lines });
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let name = item.ident.unraw().to_string();
        if is_test(&item.attrs) {
            self.test_modules.push([self.here(), vec![name]].concat());
            return;
        }
        if self.inline.is_empty() {
            self.file.children.push(name.clone());
        }
        self.inline.push(name);
        visit::visit_item_mod(self, item);
        self.inline.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_test(&item.attrs) {
            self.use_tree(&[], &item.tree);
            visit::visit_item_use(self, item);
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        if !is_test(&item.attrs) {
            visit::visit_item_extern_crate(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_test(&item.attrs) {
            self.function(&item.sig, item.block.span());
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test(&item.attrs) {
            self.function(&item.sig, item.block.span());
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.function(&item.sig, item.default.as_ref().map_or_else(|| item.sig.span(), Spanned::span));
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
        if path.leading_colon.is_none() && segments.len() > 1 {
            self.note(&segments, path.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        if let Some(last) = call.path.segments.last() {
            self.file.macros.push((last.ident.to_string(), last.span().start().line));
        }
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            meta if meta.path().is_ident("doc") => {}
            Meta::List(list) => self.tokens(list.tokens.clone()),
            Meta::Path(_) | Meta::NameValue(_) => visit::visit_attribute(self, attribute),
        }
    }

    /// `pub(in crate::values)` names nothing that it could use.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_ident(&mut self, ident: &'ast Ident) {
        self.file.words.push((ident.unraw().to_string(), ident.span().start().line));
    }
}

/// `#[cfg(test)]`, or `#[cfg(all(test, ..))]`.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        match attribute.parse_args::<Meta>() {
            Ok(Meta::Path(path)) => path.is_ident("test"),
            Ok(Meta::List(list)) if list.path.is_ident("all") => list
                .parse_args_with(Punctuated::<Meta, syn::Token![,]>::parse_terminated)
                .is_ok_and(|all| all.iter().any(|meta| meta.path().is_ident("test"))),
            _ => false,
        }
    })
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

/// The segments of the path that begins at a token: `a::b::c`.
fn path_at(tokens: &[TokenTree], mut at: usize) -> Vec<String> {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
        path.push(ident.unraw().to_string());
        if !(is_punct(tokens.get(at + 1), ':') && is_punct(tokens.get(at + 2), ':')) {
            break;
        }
        at += 3;
    }
    path
}
