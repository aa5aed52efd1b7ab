// What people call the roles.
export const ROLES = {
  JUNIOR_BROKER: "Junior broker",
  SENIOR_BROKER: "Senior broker",
  SALES_DIRECTOR: "Sales director",
  ADMIN: "Administrator",
};
