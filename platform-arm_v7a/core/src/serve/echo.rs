//! ECHO.
