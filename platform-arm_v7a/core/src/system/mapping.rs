//! Pages in address spaces.
