//! Writes the decisions of an interposer that are named only.

use std::collections::HashMap;

use heck::ToUpperCamelCase;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Error, Ident, ImplItem, ItemImpl, Result, Token, parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::definition::names;

/// `forward(name, ...)` or `refuse(name, ...)`.
struct Decided {
    variant: Ident,
    names: Punctuated<Ident, Token![,]>,
}

impl Parse for Decided {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let decision: Ident = input.parse()?;
        let variant = match decision.to_string().as_str() {
            "forward" => "Forward",
            "refuse" => "Refuse",
            _ => {
                let message = "decisions are `forward(NAME, ...)` and `refuse(NAME, ...)`; others are methods";
                return Err(Error::new(decision.span(), message));
            }
        };
        let inside;
        parenthesized!(inside in input);
        Ok(Self { variant: Ident::new(variant, decision.span()), names: names(&inside)? })
    }
}

/// The impl block with the missing methods.
pub fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let decided = syn::parse::Parser::parse2(Punctuated::<Decided, Token![,]>::parse_terminated, attribute)?;
    let mut item: ItemImpl = syn::parse2(item)?;
    let interface = interface_of(&item)?;
    let mut known: HashMap<String, &str> = HashMap::new();
    for written in &item.items {
        if let ImplItem::Fn(function) = written {
            known.insert(function.sig.ident.to_string(), "decided by a method");
        }
    }
    let mut methods = Vec::new();
    for Decided { variant, names } in &decided {
        for name in names {
            if let Some(how) = known.insert(name.to_string(), "named") {
                return Err(Error::new(name.span(), format!("`{name}` is {how} already; decide once")));
            }
            // Not at the name's place, or the compiler would suggest similar types for a wrong name.
            let marker = format_ident!("{}", name.to_string().to_upper_camel_case(), span = Span::call_site());
            let call = quote!(#interface call::#marker);
            let message = format!("`{name}` is never answered, so it cannot be forwarded; handle or refuse it");
            let check = (variant == "Forward").then(|| {
                quote_spanned! { name.span() =>
                    const _: () = ::core::assert!(!<#call as ::base::rpc::Call>::OPERATION.unanswered, #message);
                }
            });
            let method: ImplItem = syn::parse_quote_spanned! { name.span() =>
                fn #name(&mut self, _: ::base::rpc::Arguments<'_, #call>) -> ::base::rpc::Decision<#call> {
                    #check
                    ::base::rpc::Decision::#variant
                }
            };
            methods.push(method);
        }
    }
    item.items.extend(methods);
    Ok(quote!(#item))
}

/// The module of the interface, with `::` behind it.
fn interface_of(item: &ItemImpl) -> Result<TokenStream> {
    const USAGE: &str = "this stands above `impl MODULE::Interposer for ...`";
    let Some(path) = item.trait_.as_ref().map(|(path, _)| path) else {
        return Err(Error::new_spanned(&item.self_ty, USAGE));
    };
    match path.segments.last() {
        Some(last) if last.ident == "Interposer" => {}
        _ => return Err(Error::new_spanned(path, USAGE)),
    }
    let mut module = path.clone();
    module.segments.pop();
    Ok(quote!(#module))
}
