//! Whether somebody can be signed in, and in which tenant.

use super::{Azure, Doctor};
use crate::arm::{self, TokenError};
use crate::model::{Secret, with_causes};
use crate::plan::{Check, Checked};

/// What was found of credentials and tenant.
pub(super) struct SignIn {
    pub(super) checks: Vec<Check>,
    pub(super) is_signed_in: bool,
}

impl Doctor<'_> {
    pub(super) async fn sign_in(&self) -> SignIn {
        let wanted = self.desired.tenant.as_deref();
        match &self.azure {
            // Where nobody knows where to sign in, that is the problem.
            Err(_) if self.place.is_err() => {
                without_token(Check::not_tried(Checked::Credentials, "the endpoints of the cloud"), wanted)
            }
            Err(trouble) => without_token(trouble.check(Checked::Credentials), wanted),
            Ok(_) if self.is_simulated() => SignIn {
                checks: vec![Check::ok(Checked::Credentials, "everything is simulated: nobody signs in")],
                is_signed_in: true,
            },
            Ok(Azure { tokens, .. }) => match tokens.token().await {
                Ok(token) => judge(&token, wanted),
                Err(error) => without_token(failed(&error), wanted),
            },
        }
    }
}

fn without_token(check: Check, wanted: Option<&str>) -> SignIn {
    let tenant = wanted.map(|_| Check::not_tried(Checked::Tenant, "credentials"));
    SignIn { checks: std::iter::once(check).chain(tenant).collect(), is_signed_in: false }
}

fn failed(error: &TokenError) -> Check {
    Check::problem(Checked::Credentials, with_causes(error))
        .mended_by("sign in (`az login`), or set the variables of one of the ways to sign in (`arcflux doctor --help`)")
}

/// What a token tells. It is not verified: ARM does that.
fn judge(token: &Secret, wanted: Option<&str>) -> SignIn {
    let found = arm::tenant_of(token);
    let credentials = if arm::names_nobody(token) {
        Check::problem(
            Checked::Credentials,
            "the token names no identity: the application has no service principal in the tenant",
        )
        .mended_by("create it, as an administrator of the tenant: `az ad sp create --id APPLICATION-ID`")
    } else {
        let whom = arm::principal_of(token).map(|id| format!(" as the object {id}")).unwrap_or_default();
        Check::ok(Checked::Credentials, format!("signed in{whom}"))
    };
    let tenant = match (wanted, found) {
        (Some(wanted), Some(found)) if !found.eq_ignore_ascii_case(wanted) => Check::problem(
            Checked::Tenant,
            format!("the spec is for the tenant {wanted}, and you are signed in to {found}"),
        )
        .mended_by(format!("`az login --tenant {wanted}`")),
        (Some(_), Some(found)) => Check::ok(Checked::Tenant, format!("{found}, as the spec says")),
        (None, Some(found)) => Check::ok(Checked::Tenant, format!("{found}; the spec names none")),
        (_, None) => Check::warning(Checked::Tenant, "the token does not tell of which tenant it is"),
    };
    SignIn { checks: vec![credentials, tenant], is_signed_in: true }
}
