//! Writes what comes of a definition.
//!
//! As little as possible: what is the same for all interfaces is in `base::rpc`, so that it can be read and tested there.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, ItemTrait, Type};

use crate::definition::{Definition, Operation, Output, too_many_words};

/// The trait and everything beside it.
pub fn emit(definition: &Definition) -> TokenStream {
    let Definition { operations, .. } = definition;
    let server = server(definition);
    let calls = calls(definition);
    let implementations = operations.iter().map(implementation);
    let client = client(definition);
    let dispatch = dispatch(definition);
    let session = session(definition);
    let interposer = interposer(definition);
    let description = description(definition);
    quote! {
        #server
        #description
        #calls
        #(#implementations)*
        #client
        #dispatch
        #session
        #interposer
    }
}

/// A line for people about what the marks say.
fn marks(operation: &Operation) -> String {
    let marks = [
        (operation.idempotent, ", idempotent"),
        (operation.encoded, ", encoded"),
        (operation.unanswered, ", never answered"),
    ];
    let marks = marks.iter().filter(|(is_set, _)| *is_set).map(|(_, text)| *text);
    format!("Operation {}{}.", operation.number, marks.collect::<String>())
}

fn server(definition: &Definition) -> ItemTrait {
    let mut item = definition.item.clone();
    for (function, operation) in item.items.iter_mut().zip(&definition.operations) {
        if let syn::TraitItem::Fn(function) = function {
            let marks = marks(operation);
            function.attrs.push(syn::parse_quote!(#[doc = ""]));
            function.attrs.push(syn::parse_quote!(#[doc = #marks]));
        }
    }
    item
}

/// The module of the operations as types.
fn calls(Definition { item, operations, .. }: &Definition) -> TokenStream {
    let (vis, interface) = (&item.vis, &item.ident);
    let title = format!("The operations of [`{interface}`](super::{interface}) as types.");
    let types = operations.iter().map(|Operation { name, marker, doc, .. }| {
        let title = format!("[`{name}`](super::{interface}::{name}): {doc}");
        quote! {
            #[doc = #title]
            #[derive(Clone, Copy, Debug)]
            pub struct #marker;
        }
    });
    quote! {
        #[doc = #title]
        #vis mod call {
            #(#types)*
        }
    }
}

/// The types of an operation, as they are in the trait `Call`.
struct Types<'a> {
    output: TokenStream,
    error: TokenStream,
    types: Vec<&'a Type>,
}

/// Names for the arguments where the definition's own could be taken for something of ours, like `server` or `space`.
fn positions(operation: &Operation) -> Vec<Ident> {
    (0..operation.arguments.len()).map(|position| format_ident!("argument{position}")).collect()
}

impl<'a> Types<'a> {
    fn of(operation: &'a Operation) -> Self {
        let never = quote!(::base::rpc::Never);
        let (output, error) = match &operation.output {
            _ if operation.unanswered => (never.clone(), never),
            Output::Value(value) => (value.to_token_stream(), never),
            Output::Fallible(value, error) | Output::Open(value, error) => {
                (value.to_token_stream(), error.to_token_stream())
            }
        };
        let types = operation.arguments.iter().map(|(_, kind)| kind).collect();
        Self { output, error, types }
    }
}

/// Whether a type is `&[u8]`.
fn is_bytes(kind: &Type) -> bool {
    let Type::Reference(reference) = kind else { return false };
    matches!(&*reference.elem, Type::Slice(slice) if slice.elem.to_token_stream().to_string() == "u8")
}

/// `impl Call for call::Name`.
fn implementation(operation: &Operation) -> TokenStream {
    let Operation { marker, name, .. } = operation;
    let Types { output, error, types } = Types::of(operation);
    let names = positions(operation);
    let data = operation_data(operation, &error);
    let forms = if operation.encoded { encoded(&names, &types) } else { words(operation, &output, &names, &types) };
    let Forms { call, decode, reply, check } = forms;
    quote_spanned! { name.span() =>
        #check

        impl ::base::rpc::Call for call::#marker {
            const OPERATION: ::base::rpc::Operation = #data;
            type Arguments<'a> = (#(#types,)*);
            type Output = #output;
            type Error = #error;

            #[inline(always)]
            fn call<T: ::base::rpc::Transport>(
                connection: &::base::rpc::Connection<T>,
                arguments: Self::Arguments<'_>,
            ) -> ::core::result::Result<#output, ::base::rpc::CallError<#error>> {
                #call
            }

            #[inline(always)]
            fn decode<'a>(body: &'a ::base::rpc::Body<'_>) -> ::core::option::Option<Self::Arguments<'a>> {
                #decode
            }

            #[inline(always)]
            #[allow(unused_variables)]
            fn reply(output: #output, space: &mut ::base::rpc::Buffer) -> ::base::rpc::Reply<'_> {
                #reply
            }
        }
    }
}

/// How arguments and result become messages.
struct Forms {
    call: TokenStream,
    decode: TokenStream,
    reply: TokenStream,
    check: TokenStream,
}

fn words(operation: &Operation, output: &TokenStream, names: &[Ident], types: &[&Type]) -> Forms {
    let name = &operation.name;
    let span = name.span();
    let too_many = [too_many_words(name, "arguments"), too_many_words(name, "results")];
    let [arguments, results] = too_many;
    Forms {
        call: quote! {
            let (#(#names,)*) = arguments;
            ::base::rpc::words::call::<Self, T>(connection, (#(#names,)*))
        },
        decode: quote!(::base::rpc::words::decode(body)),
        reply: quote!(::base::rpc::words::reply(output)),
        check: quote_spanned! { span =>
            const _: () =
                ::core::assert!(::base::rpc::words::fit::<(#(#types,)*)>(), #arguments);
            const _: () = ::core::assert!(::base::rpc::words::fit::<#output>(), #results);
        },
    }
}

fn encoded(names: &[Ident], types: &[&Type]) -> Forms {
    let rest_is_bytes = types.last().is_some_and(|kind| is_bytes(kind));
    let head = names.len() - usize::from(rest_is_bytes);
    let (head, tail) = names.split_at(head);
    let head_types = &types[..head.len()];
    let sent = tail.first().map_or_else(|| quote!(&[]), |tail| quote!(#tail));
    let decode = match tail {
        [] => quote! {
            ::base::rpc::encoded::decode_all::<(#(#head_types,)*)>(body)
        },
        tail => quote! {
            let ((#(#head,)*), rest) = ::base::rpc::encoded::decode::<(#(#head_types,)*)>(body)?;
            let (#(#tail,)*) = (rest,);
            ::core::option::Option::Some((#(#names,)*))
        },
    };
    Forms {
        call: quote! {
            let (#(#names,)*) = arguments;
            ::base::rpc::encoded::call::<Self, T>(connection, &(#(#head,)*), #sent)
        },
        decode,
        reply: quote!(::base::rpc::encoded::reply(&output, space)),
        check: TokenStream::new(),
    }
}

/// A type as people write it: tokens come with blanks between.
fn shown(kind: &Type) -> String {
    match kind {
        Type::Tuple(tuple) if tuple.elems.is_empty() => String::new(),
        kind => kind.to_token_stream().to_string().replace(" ,", ",").replace(" ;", ";").split(' ').fold(
            String::new(),
            |mut text, part| {
                let words = text.ends_with(|c: char| c.is_alphanumeric() || c == ',' || c == ';')
                    && part.starts_with(|c: char| c.is_alphanumeric());
                if words {
                    text.push(' ');
                }
                text + part
            },
        ),
    }
}

/// `Operation { ... }`.
fn operation_data(operation: &Operation, error: &TokenStream) -> TokenStream {
    let Operation { number, idempotent, encoded, unanswered, doc, .. } = operation;
    let name = operation.name.to_string();
    let arguments = operation.arguments.iter().map(|(name, _)| name.to_string());
    let result = match &operation.output {
        _ if *unanswered => String::new(),
        Output::Value(value) | Output::Fallible(value, _) | Output::Open(value, _) => shown(value),
    };
    quote! {
        ::base::rpc::Operation {
            number: #number,
            name: #name,
            idempotent: #idempotent,
            encoded: #encoded,
            unanswered: #unanswered,
            arguments: &[#(#arguments),*],
            result: #result,
            errors: <#error as ::base::rpc::ErrorCode>::CODES,
            doc: #doc,
        }
    }
}

fn description(Definition { id, doc, item, operations }: &Definition) -> TokenStream {
    let (vis, interface) = (&item.vis, &item.ident);
    let name = interface.to_string();
    let titles = [format!("[`{interface}`] as data."), format!("The operations of [`{interface}`] as data.")];
    let [interface_title, operations_title] = titles;
    let markers = operations.iter().map(|operation| &operation.marker);
    quote! {
        #[doc = #interface_title]
        #vis const INTERFACE: ::base::rpc::Interface =
            ::base::rpc::Interface { id: #id, name: #name, doc: #doc, operations: OPERATIONS };

        #[doc = #operations_title]
        #vis const OPERATIONS: &[::base::rpc::Operation] = &[
            #(<call::#markers as ::base::rpc::Call>::OPERATION),*
        ];
    }
}

fn client(Definition { item, operations, .. }: &Definition) -> TokenStream {
    let (vis, interface) = (&item.vis, &item.ident);
    let title = format!("Asks whoever serves [`{interface}`].");
    let methods = operations.iter().map(|operation| {
        let Operation { name, marker, doc, unanswered, .. } = operation;
        let Types { output, error, types } = Types::of(operation);
        let names: Vec<_> = operation.arguments.iter().map(|(name, _)| name).collect();
        let types = types.iter().map(|kind| without_lifetime(kind));
        let marks = marks(operation);
        let docs = quote! {
            #[doc = #doc]
            #[doc = ""]
            #[doc = #marks]
        };
        let call = quote!(<call::#marker as ::base::rpc::Call>::call(&self.0, (#(#names,)*)));
        match unanswered {
            true => quote! {
                #docs
                ///
                /// Returns what came back although nothing should.
                #[inline(always)]
                pub fn #name(&self #(, #names: #types)*) -> ::base::rpc::CallError<::base::rpc::Never> {
                    match #call {
                        ::core::result::Result::Ok(never) => match never {},
                        ::core::result::Result::Err(error) => error,
                    }
                }
            },
            false => quote! {
                #docs
                ///
                /// # Errors
                /// As told by whoever serves it.
                #[inline(always)]
                pub fn #name(
                    &self #(, #names: #types)*
                ) -> ::core::result::Result<#output, ::base::rpc::CallError<#error>> {
                    #call
                }
            },
        }
    });
    quote! {
        #[doc = #title]
        #[derive(Clone, Copy)]
        #vis struct Client<T = ::base::rpc::Shared>(::base::rpc::Connection<T>);

        impl<T: ::base::rpc::Transport> Client<T> {
            /// The session to which the capability in `slot` leads.
            #[inline(always)]
            pub const fn new(transport: T, slot: ::base::rpc::Slot) -> Self {
                Self(::base::rpc::Connection { transport, slot })
            }

            /// Where requests go.
            #[inline(always)]
            pub const fn connection(&self) -> &::base::rpc::Connection<T> {
                &self.0
            }

            #(#methods)*
        }

        impl<T> ::core::convert::From<::base::rpc::Connection<T>> for Client<T> {
            #[inline(always)]
            fn from(connection: ::base::rpc::Connection<T>) -> Self {
                Self(connection)
            }
        }
    }
}

/// The type with `'_` for `'a`, for signatures of functions.
fn without_lifetime(kind: &Type) -> Type {
    struct Elide;
    impl syn::visit_mut::VisitMut for Elide {
        fn visit_lifetime_mut(&mut self, lifetime: &mut syn::Lifetime) {
            *lifetime = syn::Lifetime::new("'_", lifetime.span());
        }
    }
    let mut kind = kind.clone();
    syn::visit_mut::VisitMut::visit_type_mut(&mut Elide, &mut kind);
    kind
}

fn dispatch(Definition { item, operations, .. }: &Definition) -> TokenStream {
    let (vis, interface) = (&item.vis, &item.ident);
    let title = format!(
        "Answers a request by calling a server of [`{interface}`]; nothing in the request is trusted. None means that \
         nobody is answered. Long results are put into `space`."
    );
    let arms = operations.iter().map(|operation| {
        let Operation { name, marker, output, unanswered, .. } = operation;
        let names = positions(operation);
        let call = quote!(<S as #interface>::#name(server #(, #names)*));
        let answer = |result| quote!(Some(::base::rpc::answer::<call::#marker>(#result, space)));
        let answer = match output {
            _ if *unanswered => quote!({ #call; None }),
            Output::Value(_) => answer(quote!(Ok(#call))),
            Output::Fallible(..) => answer(quote!(#call.map_err(::base::rpc::CallError::Error))),
            Output::Open(..) => answer(call),
        };
        quote! {
            <call::#marker as ::base::rpc::Call>::SELECTOR => {
                match <call::#marker as ::base::rpc::Call>::decode(&request.body) {
                    Some((#(#names,)*)) => #answer,
                    None => Some(::base::rpc::Reply::of(::base::rpc::Status::Malformed)),
                }
            }
        }
    });
    quote! {
        #[doc = #title]
        #[inline]
        #[allow(unused_variables)]
        #vis fn dispatch<'s, S: #interface + ?Sized>(
            server: &mut S,
            request: &::base::rpc::Request<'_>,
            space: &'s mut ::base::rpc::Buffer,
        ) -> ::core::option::Option<::base::rpc::Reply<'s>> {
            use ::core::{option::Option::{None, Some}, result::Result::Ok};
            match request.label.selector() {
                #(#arms)*
                _ => Some(::base::rpc::unknown(OPERATIONS, request.label)),
            }
        }
    }
}

/// A server as a session of whatever interface.
fn session(Definition { item, .. }: &Definition) -> TokenStream {
    let (vis, interface) = (&item.vis, &item.ident);
    let title = format!("A session whose requests are answered by a server of [`{interface}`].");
    quote! {
        #[doc = #title]
        #[derive(Clone, Debug, Default)]
        #vis struct Server<S>(pub S);

        impl<S: #interface> ::base::rpc::Serve for Server<S> {
            #[inline]
            fn serve<'s>(
                &mut self,
                request: &::base::rpc::Request<'_>,
                space: &'s mut ::base::rpc::Buffer,
            ) -> ::core::option::Option<::base::rpc::Reply<'s>> {
                dispatch(&mut self.0, request, space)
            }
        }
    }
}

fn interposer(Definition { item, operations, .. }: &Definition) -> TokenStream {
    let (vis, interface) = (&item.vis, &item.ident);
    let title = format!(
        "Decides about every operation of [`{interface}`], between its clients and the next server. The attribute \
         [`interposer`](macro@::base::interposer) writes what is decided by name only."
    );
    let interpose_title = format!(
        "Does with a request of [`{interface}`] what an interposer decides; what it forwards goes to `upstream`. \
         Nothing in the request is trusted, and only requests that can be read are forwarded. None means that nobody is \
         answered. Long answers are put into `space`."
    );
    let methods = operations.iter().map(|Operation { name, marker, doc, .. }| {
        let title = format!("Decides about `{name}`: {doc}");
        quote! {
            #[doc = #title]
            fn #name(
                &mut self,
                arguments: ::base::rpc::Arguments<'_, call::#marker>,
            ) -> ::base::rpc::Decision<call::#marker>;
        }
    });
    let arms = operations.iter().map(|Operation { name, marker, .. }| {
        quote! {
            <call::#marker as ::base::rpc::Call>::SELECTOR => {
                match <call::#marker as ::base::rpc::Call>::decode(&request.body) {
                    Some(arguments) => {
                        let decision = <I as Interposer>::#name(interposer, arguments);
                        ::base::rpc::decide::<call::#marker, T>(decision, upstream, request, space)
                    }
                    None => Some(::base::rpc::Reply::of(::base::rpc::Status::Malformed)),
                }
            }
        }
    });
    quote! {
        #[doc = #title]
        #vis trait Interposer {
            #(#methods)*
        }

        #[doc = #interpose_title]
        #[inline]
        #vis fn interpose<'s, I: Interposer + ?Sized, T: ::base::rpc::Transport>(
            interposer: &mut I,
            upstream: &::base::rpc::Connection<T>,
            request: &::base::rpc::Request<'_>,
            space: &'s mut ::base::rpc::Buffer,
        ) -> ::core::option::Option<::base::rpc::Reply<'s>> {
            use ::core::option::Option::{None, Some};
            match request.label.selector() {
                #(#arms)*
                _ => Some(::base::rpc::unknown(OPERATIONS, request.label)),
            }
        }
    }
}
