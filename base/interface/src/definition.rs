//! Reads the definition of an interface; what is wrong is said where it is, all of it at once.

use std::collections::HashMap;

use heck::ToUpperCamelCase;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::{
    Attribute, Error, FnArg, GenericArgument, Ident, ItemTrait, Lifetime, LitInt, Pat, PathArguments, Result,
    ReturnType, Token, TraitItem, TraitItemFn, Type,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    spanned::Spanned,
    visit::{self, Visit},
    visit_mut::{self, VisitMut},
};

/// Most words that travel in registers; `base::rpc::FAST_WORDS`. Each argument is at least one.
const FAST_WORDS: usize = 4;
/// Names that the client's own functions have.
const TAKEN: [&str; 2] = ["new", "connection"];

/// An interface.
pub struct Definition {
    /// Its number.
    pub id: u16,
    /// What it is for.
    pub doc: String,
    /// The trait without our attributes.
    pub item: ItemTrait,
    /// Its operations, in order.
    pub operations: Vec<Operation>,
}

/// An operation.
pub struct Operation {
    /// Its number.
    pub number: u8,
    pub idempotent: bool,
    pub encoded: bool,
    pub unanswered: bool,
    /// Its name.
    pub name: Ident,
    /// Its name as a type.
    pub marker: Ident,
    /// What it does.
    pub doc: String,
    /// Names and types of its arguments; references have the lifetime `'a`.
    pub arguments: Vec<(Ident, Type)>,
    /// What its method returns.
    pub output: Output,
}

/// What a method returns.
pub enum Output {
    /// Something, always.
    Value(Type),
    /// `Result<T, E>`.
    Fallible(Type, Type),
    /// `Result<T, CallError<E>>`.
    Open(Type, Type),
}

impl Definition {
    /// Reads attribute and trait.
    pub fn read(attribute: TokenStream, item: TokenStream) -> Result<Self> {
        let mut errors = Errors(None);
        let id = errors.take(interface_id(attribute));
        let mut item: ItemTrait = syn::parse2(item)
            .map_err(|error| Error::new(error.span(), format!("an interface is defined by a trait: {error}")))?;
        errors.take(check_trait(&item));
        let doc = errors.take(doc_of(&item.attrs, &item.ident));
        let mut operations = Vec::new();
        for item in &mut item.items {
            let operation = match item {
                TraitItem::Fn(function) => Operation::read(function),
                other => Err(Error::new(other.span(), "an interface has operations only")),
            };
            operations.extend(errors.take(operation));
        }
        errors.take(check_unique(&operations));
        match (errors.0, id, doc) {
            (None, Some(id), Some(doc)) => Ok(Self { id, doc, item, operations }),
            (Some(error), ..) => Err(error),
            (None, ..) => Err(Error::new(Span::call_site(), "this definition cannot be read")),
        }
    }
}

/// What is wrong, so far.
struct Errors(Option<Error>);

impl Errors {
    fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            none => *none = Some(error),
        }
    }
}

fn interface_id(attribute: TokenStream) -> Result<u16> {
    let parse = |input: ParseStream<'_>| {
        let name: Ident = input.parse()?;
        if name != "id" {
            return Err(Error::new(name.span(), "unknown key; write `#[interface(id = NUMBER)]`"));
        }
        input.parse::<Token![=]>()?;
        input.parse::<LitInt>()
    };
    if attribute.is_empty() {
        return Err(Error::new(Span::call_site(), "an interface has a number; write `#[interface(id = NUMBER)]`"));
    }
    let id = parse.parse2(attribute)?;
    let value = id.base10_parse().ok().filter(|&value| value > 0);
    value.ok_or_else(|| Error::new(id.span(), "the number of an interface is 1 to 65535"))
}

fn check_trait(item: &ItemTrait) -> Result<()> {
    let refuse = |what: &dyn ToTokens, why| Err(Error::new_spanned(what, why));
    if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
        return refuse(&item.generics, "an interface is not generic: both sides must mean the same types");
    }
    if !item.supertraits.is_empty() {
        return refuse(&item.supertraits, "an interface stands alone: it has no supertraits");
    }
    if let Some(unsafety) = &item.unsafety {
        return refuse(unsafety, "an interface is not unsafe: its servers trust nothing");
    }
    if item.items.is_empty() {
        return refuse(&item.ident, "an interface has at least one operation");
    }
    Ok(())
}

/// The text of the doc comments, which there must be.
fn doc_of(attributes: &[Attribute], name: &Ident) -> Result<String> {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| match &attribute
            .meta
            .require_name_value()
            .ok()?
            .value
        {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        });
    let doc = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    if doc.is_empty() {
        return Err(Error::new(name.span(), format!("`{name}` has no doc comment; say above it what it is for")));
    }
    Ok(doc)
}

/// What `#[operation(...)]` says.
struct Marks {
    number: u8,
    idempotent: bool,
    encoded: bool,
    unanswered: bool,
}

impl Parse for Marks {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        const USAGE: &str = "the first is the operation's number, as in `#[operation(1)]`";
        let number: LitInt = input.parse().map_err(|error| Error::new(error.span(), USAGE))?;
        let value = number.base10_parse().ok().filter(|&value| value > 0);
        let value = value.ok_or_else(|| Error::new(number.span(), "the number of an operation is 1 to 255"))?;
        let mut marks = Self { number: value, idempotent: false, encoded: false, unanswered: false };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let name: Ident = input.parse()?;
            let mark = match name.to_string().as_str() {
                "idempotent" => &mut marks.idempotent,
                "encoded" => &mut marks.encoded,
                "unanswered" => &mut marks.unanswered,
                _ => return Err(Error::new(name.span(), "known are `idempotent`, `encoded` and `unanswered`")),
            };
            if std::mem::replace(mark, true) {
                return Err(Error::new(name.span(), format!("`{name}` stands here twice")));
            }
        }
        Ok(marks)
    }
}

impl Operation {
    /// Reads a method and takes our attribute off it.
    fn read(function: &mut TraitItemFn) -> Result<Self> {
        let name = function.sig.ident.clone();
        let marks = marks_of(function, &name)?;
        let doc = doc_of(&function.attrs, &name)?;
        check_function(function, &name)?;
        let arguments = arguments_of(function, marks.encoded)?;
        let output = output_of(&function.sig.output)?;
        if let (true, ReturnType::Type(_, given)) = (marks.unanswered, &function.sig.output) {
            return Err(Error::new_spanned(given, "what is never answered has no result"));
        }
        if !marks.encoded && arguments.len() > FAST_WORDS {
            return Err(Error::new(name.span(), too_many_words(&name, "arguments")));
        }
        let marker = format_ident!("{}", name.to_string().to_upper_camel_case(), span = name.span());
        let Marks { number, idempotent, encoded, unanswered } = marks;
        Ok(Self { number, idempotent, encoded, unanswered, name, marker, doc, arguments, output })
    }
}

/// What is said where words do not fit.
pub fn too_many_words(name: &Ident, what: &str) -> String {
    format!("the {what} of `{name}` are more than four words; mark it `encoded`, or make them fewer")
}

fn marks_of(function: &mut TraitItemFn, name: &Ident) -> Result<Marks> {
    let (ours, others) = function.attrs.drain(..).partition(|attribute| attribute.path().is_ident("operation"));
    function.attrs = others;
    let ours: Vec<Attribute> = ours;
    match &ours[..] {
        [] => Err(Error::new(name.span(), format!("`{name}` has no number; write `#[operation(NUMBER)]` above it"))),
        [one] => one.parse_args(),
        [_, second, ..] => Err(Error::new_spanned(second, format!("`{name}` has two numbers"))),
    }
}

fn check_function(function: &TraitItemFn, name: &Ident) -> Result<()> {
    let signature = &function.sig;
    let refuse = |what: &dyn ToTokens, why| Err(Error::new_spanned(what, why));
    if TAKEN.contains(&name.to_string().as_str()) {
        return refuse(name, "every client has a function of that name already");
    }
    if name.to_string().starts_with("r#") {
        return refuse(name, "a keyword is no name for an operation");
    }
    if let Some(attribute) = function.attrs.iter().find(|attribute| {
        let path = attribute.path();
        path.is_ident("cfg") || path.is_ident("cfg_attr")
    }) {
        return refuse(attribute, "an operation exists in every build, or peers would not understand each other");
    }
    if let Some(body) = &function.default {
        return refuse(body, "an operation has no default: each server says what it does");
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        return refuse(&signature.generics, "an operation is not generic: both sides must mean the same types");
    }
    if let Some(token) = &signature.asyncness {
        return refuse(token, "an operation is not async: a server answers and then receives the next request");
    }
    if let Some(token) = &signature.constness {
        return refuse(token, "an operation is not const");
    }
    if !matches!(signature.safety, syn::Safety::Default) {
        return refuse(&signature.safety, "an operation is not unsafe: its server trusts nothing");
    }
    if let Some(token) = &signature.abi {
        return refuse(token, "an operation has no ABI: it is a message");
    }
    match signature.receiver() {
        Some(receiver) if receiver.to_token_stream().to_string() == "& mut self" => Ok(()),
        Some(receiver) => refuse(receiver, "an operation takes `&mut self`: the server goes on to live"),
        None => refuse(name, "an operation takes `&mut self`"),
    }
}

fn arguments_of(function: &TraitItemFn, encoded: bool) -> Result<Vec<(Ident, Type)>> {
    let typed = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    let read = typed.map(|argument| {
        let name = match &*argument.pat {
            Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.mutability.is_none() => pattern.ident.clone(),
            other => return Err(Error::new_spanned(other, "an argument of an operation has a plain name")),
        };
        let mut kind = (*argument.ty).clone();
        let mut borrows = Borrows::default();
        borrows.visit_type_mut(&mut kind);
        match borrows {
            Borrows { refused: Some(error), .. } => Err(error),
            Borrows { found: Some(span), .. } if !encoded => {
                Err(Error::new(span, "what is borrowed does not travel in registers; mark the operation `encoded`"))
            }
            _ => Ok((name, kind)),
        }
    });
    read.collect()
}

/// Gives references the lifetime `'a`, and finds what cannot be sent.
#[derive(Default)]
struct Borrows {
    found: Option<Span>,
    refused: Option<Error>,
}

impl VisitMut for Borrows {
    fn visit_type_mut(&mut self, kind: &mut Type) {
        let why = match kind {
            Type::Reference(reference) if reference.mutability.is_some() => {
                "an argument is sent, not lent: the server cannot change it"
            }
            Type::Reference(reference) => {
                self.found = Some(reference.span());
                let span = reference.and_token.span();
                reference.lifetime.get_or_insert_with(|| Lifetime::new("'a", span));
                return visit_mut::visit_type_mut(self, kind);
            }
            Type::ImplTrait(_) | Type::TraitObject(_) => "both sides must mean the same type",
            Type::Ptr(_) => "an address means nothing to the other side",
            _ => return visit_mut::visit_type_mut(self, kind),
        };
        self.refused = Some(Error::new_spanned(kind, why));
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        match lifetime.ident.to_string().as_str() {
            "_" | "a" => {
                self.found = Some(lifetime.span());
                *lifetime = Lifetime::new("'a", lifetime.span());
            }
            _ => {
                self.refused =
                    Some(Error::new(lifetime.span(), "arguments borrow from the message; leave the lifetime out"));
            }
        }
    }
}

fn output_of(output: &ReturnType) -> Result<Output> {
    let kind = match output {
        ReturnType::Default => return Ok(Output::Value(syn::parse_quote!(()))),
        ReturnType::Type(_, kind) => &**kind,
    };
    struct References(Option<Error>);
    impl<'ast> Visit<'ast> for References {
        fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
            self.0 = Some(Error::new_spanned(reference, "a result is sent, so it cannot borrow"));
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.0 = Some(Error::new_spanned(lifetime, "a result is sent, so it cannot borrow"));
        }
        fn visit_type_impl_trait(&mut self, kind: &'ast syn::TypeImplTrait) {
            self.0 = Some(Error::new_spanned(kind, "both sides must mean the same type"));
        }
    }
    let mut references = References(None);
    visit::visit_type(&mut references, kind);
    if let Some(error) = references.0 {
        return Err(error);
    }
    let Some(generics) = generics_of(kind, "Result") else { return Ok(Output::Value(kind.clone())) };
    let [GenericArgument::Type(value), GenericArgument::Type(error)] = &generics[..] else {
        return Err(Error::new_spanned(kind, "write `Result<T, E>`, with the error that the operation has"));
    };
    match generics_of(error, "CallError").as_deref() {
        Some([GenericArgument::Type(own)]) => Ok(Output::Open(value.clone(), own.clone())),
        _ => Ok(Output::Fallible(value.clone(), error.clone())),
    }
}

/// The generic arguments of a type whose path ends in that name.
fn generics_of(kind: &Type, name: &str) -> Option<Vec<GenericArgument>> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    match &last.arguments {
        PathArguments::AngleBracketed(generics) => Some(generics.args.iter().cloned().collect()),
        _ => Some(Vec::new()),
    }
}

fn check_unique(operations: &[Operation]) -> Result<()> {
    let mut errors = Errors(None);
    let (mut numbers, mut markers) = (HashMap::new(), HashMap::new());
    for operation in operations {
        if let Some(other) = numbers.insert(operation.number, &operation.name) {
            let message = format!("number {} is `{other}` already", operation.number);
            errors.add(Error::new(operation.name.span(), message));
        }
        if let Some(other) = markers.insert(operation.marker.to_string(), &operation.name) {
            let message = format!("`{other}` has this name already, as a type: `call::{}`", operation.marker);
            errors.add(Error::new(operation.name.span(), message));
        }
    }
    errors.0.map_or(Ok(()), Err)
}

/// `name, name, ...`
pub fn names(input: ParseStream<'_>) -> Result<Punctuated<Ident, Token![,]>> {
    Punctuated::parse_terminated(input)
}
