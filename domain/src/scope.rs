//! Whose data a read or write may touch.

use crate::id::{ProjectId, TenantId};

/// Proof that a credential was checked, and what it opens. Services make one only where they verify a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// A secret key of one project.
    Project { tenant: TenantId, project: ProjectId },
    /// A person or token of a tenant: every project of that tenant.
    Tenant { tenant: TenantId },
    /// The operator of this installation: every project.
    Operator,
}

/// The credential does not open that project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this credential does not open that project")]
pub struct Denied;

/// The one value through which rows are read and written: every row key starts with it. It has no public
/// constructor that skips a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    tenant: TenantId,
    project: ProjectId,
}

impl Scope {
    /// The scope of `project` (which belongs to `owner`), if `grant` opens it.
    ///
    /// # Errors
    /// [`Denied`] when it does not.
    pub fn open(grant: Grant, owner: TenantId, project: ProjectId) -> Result<Self, Denied> {
        let open = match grant {
            Grant::Project { tenant, project: granted } => tenant == owner && granted == project,
            Grant::Tenant { tenant } => tenant == owner,
            Grant::Operator => true,
        };
        if open { Ok(Self { tenant: owner, project }) } else { Err(Denied) }
    }

    /// The scope that the gateway checked before it wrote a log record. Only consumers of the log call this, with
    /// what the record's metadata says.
    #[must_use]
    pub const fn of_log_record(tenant: TenantId, project: ProjectId) -> Self {
        Self { tenant, project }
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(self) -> TenantId {
        self.tenant
    }

    /// The project.
    #[must_use]
    pub const fn project(self) -> ProjectId {
        self.project
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_opens_its_own_projects_only() {
        let (tenant, other) = (TenantId(1), TenantId(2));
        let (project, stranger) = (ProjectId(10), ProjectId(20));
        assert!(Scope::open(Grant::Project { tenant, project }, tenant, project).is_ok());
        assert_eq!(Scope::open(Grant::Project { tenant, project }, tenant, stranger), Err(Denied));
        assert_eq!(Scope::open(Grant::Project { tenant: other, project }, tenant, project), Err(Denied));
        assert_eq!(Scope::open(Grant::Tenant { tenant: other }, tenant, project), Err(Denied));
        assert!(Scope::open(Grant::Operator, tenant, project).is_ok());
    }
}
