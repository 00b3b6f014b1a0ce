//! Values as words, errors as codes.

use std::ops::RangeInclusive;

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{Data, DataEnum, DeriveInput, Error, Expr, ExprLit, Ident, Lit, Member, Result};

/// `impl Words`.
pub fn words(item: TokenStream) -> Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    refuse_generics(&item)?;
    let name = &item.ident;
    let (count, put, take) = match &item.data {
        Data::Struct(data) => {
            let types: Vec<_> = data.fields.iter().map(|field| &field.ty).collect();
            let members: Vec<Member> = data.fields.members().collect();
            (
                quote!(0 #(+ <#types as ::base::rpc::Words>::WORDS)*),
                quote!(#(::base::rpc::Words::put(self.#members, to);)*),
                quote!(::core::option::Option::Some(Self { #(#members: ::base::rpc::Words::take(from)?),* })),
            )
        }
        Data::Enum(data) => {
            let (variants, numbers) = numbers(data, 0..=u32::MAX)?;
            (
                quote!(1),
                quote!(to.push(match self { #(Self::#variants => #numbers),* });),
                quote! {
                    match from.word()? {
                        #(#numbers => ::core::option::Option::Some(Self::#variants),)*
                        _ => ::core::option::Option::None,
                    }
                },
            )
        }
        Data::Union(_) => return Err(Error::new_spanned(name, "a union does not say what it holds")),
    };
    Ok(quote! {
        impl ::base::rpc::Words for #name {
            const WORDS: usize = #count;

            #[inline(always)]
            #[allow(unused_variables)]
            fn put(self, to: &mut ::base::rpc::Registers) {
                #put
            }

            #[inline(always)]
            #[allow(unused_variables)]
            fn take(from: &mut ::base::rpc::Reader) -> ::core::option::Option<Self> {
                #take
            }
        }
    })
}

/// `impl ErrorCode`.
pub fn error_code(item: TokenStream) -> Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    refuse_generics(&item)?;
    let name = &item.ident;
    let Data::Enum(data) = &item.data else {
        return Err(Error::new_spanned(name, "errors are an enum, a variant for each cause"));
    };
    let (variants, codes) = numbers(data, 1..=255)?;
    let names = variants.iter().map(|name| name.to_string());
    Ok(quote! {
        impl ::base::rpc::ErrorCode for #name {
            const CODES: &'static [(u8, &'static str)] = &[#((#codes, #names)),*];

            #[inline]
            fn code(&self) -> ::core::num::NonZeroU8 {
                match *self {
                    #(Self::#variants => const { ::core::num::NonZeroU8::new(#codes).unwrap() },)*
                }
            }

            #[inline]
            fn from_code(code: ::core::num::NonZeroU8) -> ::core::option::Option<Self> {
                match code.get() {
                    #(#codes => ::core::option::Option::Some(Self::#variants),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

fn refuse_generics(item: &DeriveInput) -> Result<()> {
    match item.generics.params.is_empty() {
        true => Ok(()),
        false => Err(Error::new_spanned(&item.generics, "both sides must mean the same type; it cannot be generic")),
    }
}

/// The variants of an enum without fields, and their numbers, which lie in `range`. That they differ is the compiler's
/// affair.
fn numbers(data: &DataEnum, range: RangeInclusive<u32>) -> Result<(Vec<&Ident>, Vec<Literal>)> {
    let (mut variants, mut numbers) = (Vec::new(), Vec::new());
    for variant in &data.variants {
        let name = &variant.ident;
        if !variant.fields.is_empty() {
            return Err(Error::new_spanned(&variant.fields, "only the number is sent, so a variant has no fields"));
        }
        let Some((_, Expr::Lit(ExprLit { lit: Lit::Int(number), .. }))) = &variant.discriminant else {
            return Err(Error::new(name.span(), format!("the number is sent, so write it: `{name} = NUMBER`")));
        };
        let value = number.base10_parse().ok().filter(|value| range.contains(value));
        let value: u32 = value
            .ok_or_else(|| Error::new(number.span(), format!("the number is {} to {}", range.start(), range.end())))?;
        variants.push(name);
        numbers.push(Literal::u32_unsuffixed(value));
    }
    Ok((variants, numbers))
}
