// A file of its own: the page allows no script inside itself. Without a validator: that would be another origin.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
