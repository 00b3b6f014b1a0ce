//! The measuring component as a program for this platform.
#![no_std]
#![no_main]
start::component!(rpc_bench_library::construct);
