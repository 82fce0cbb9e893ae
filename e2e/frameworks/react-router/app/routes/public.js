export const loader = () => new Response("public");
