//! The component `ping` as a program for this platform.
#![no_std]
#![no_main]
start::component!(ping::construct);
