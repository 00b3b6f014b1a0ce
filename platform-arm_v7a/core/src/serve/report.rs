//! REPORT.
